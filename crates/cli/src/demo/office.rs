//! The office's year: who registers, keeps up, funds; the books' round of every year.

use super::book::{self, History, Single};
use super::chance::Chance;
use super::plan::Year;
use super::units::{self, WARDS, Ward};
use super::{press, words};
use sovang::recognition::{self, Contribution, Decision, Field, LandKind, Level, Qualifier, Recognition, Source, SubjectKind};
use sovang::{Date, Entry, Event as _, Personal, RecordId, date};
use std::collections::BTreeMap;

/// The commission of the movement.
pub(super) const COMMISSION: &str = "clerk:dan-van";
/// The office that keeps commendations.
pub(super) const EMULATION: &str = "clerk:thi-dua";

/// A model as the office knows it.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) id: String,
    pub(super) ward: &'static Ward,
    pub(super) kind: SubjectKind,
    pub(super) field: Field,
    pub(super) title: String,
    /// A collective's name; it is public.
    pub(super) collective: String,
    /// Whose it is, when it is a person's or a family's.
    pub(super) subject: Personal<String>,
    /// The year it was registered for.
    pub(super) year: u16,
    /// The last year in which it was kept up, and since which day of that year.
    pub(super) kept: u16,
    pub(super) kept_on: Date,
    pub(super) withdrawn: bool,
    pub(super) by_district: bool,
    pub(super) by_city: bool,
}

/// A plaque, mounted in a year for a model.
#[derive(Clone, Debug)]
pub(super) struct Plaque {
    pub(super) id: String,
    pub(super) model: usize,
    pub(super) level: Level,
    pub(super) year: i32,
    /// Whether it hangs, and may be taken down or moved.
    pub(super) hangs: bool,
}

/// Everything that the office has in mind while it writes.
#[derive(Debug)]
pub(super) struct Office {
    pub(super) chance: Chance,
    pub(super) models: Vec<Model>,
    pub(super) plaques: Vec<Plaque>,
    written: Vec<Single>,
    persons: u32,
    /// How many decisions an issuer has given on a day.
    decided: BTreeMap<(&'static str, Date), u16>,
    /// The definitions of the district and its wards.
    defined: Vec<RecordId>,
}

impl Office {
    /// With the units, on the day on which the district was created.
    pub(super) fn open() -> Self {
        let mut chance = Chance::of(2014);
        let (definitions, defined) = units::definitions(|| chance.id(units::CREATED));
        let mut office = Self {
            chance,
            models: Vec::new(),
            plaques: Vec::new(),
            written: Vec::new(),
            persons: 0,
            decided: BTreeMap::new(),
            defined,
        };
        for definition in definitions {
            office.write(COMMISSION, definition);
        }
        office.keep_up_what_came_from_before();
        office
    }
    /// A year, in the order in which one thing needs another.
    pub(super) fn work(&mut self, plan: &Year) {
        self.keep_up(plan.year);
        self.register(plan);
        self.replicate(plan.year);
        self.fund(plan);
        self.review(plan);
        self.withdraw(plan.year);
    }
    /// The books, with the report of 2024 and the reform of 2025 at the end.
    pub(super) fn close(mut self) -> sovang::Result<History> {
        for figure in press::figures() {
            self.write(press::ACTOR, figure);
        }
        for entry in units::reform(&self.defined) {
            self.write(COMMISSION, entry);
        }
        book::bind(self.written)
    }

    pub(super) fn write(&mut self, actor: impl Into<String>, entry: Entry<Recognition>) {
        self.written.push(Single { actor: actor.into(), entry });
    }
    /// Writes what happened on a day.
    pub(super) fn note(&mut self, actor: impl Into<String>, on: Date, event: impl Into<Recognition>) {
        self.write(actor, event.into().on(on));
    }
    /// The next decision of an issuer. Its number grows with the day: the district and the city give several on one, a ward
    /// gives few.
    pub(super) fn decision(&mut self, issuer: &'static str, on: Date) -> Decision {
        let a_day = if matches!(issuer, units::DISTRICT | units::CITY) { 12 } else { 1 };
        let given = self.decided.entry((issuer, on)).or_default();
        *given += 1;
        recognition::decision(issuer, format!("{}/QĐ-UBND", (on.ordinal() - 1) * a_day + *given), on)
    }
    /// A new person, with an id that says nothing.
    pub(super) fn person(&mut self) -> Personal<String> {
        self.persons += 1;
        Personal::of(format!("P-{:05}", self.persons), words::person(&mut self.chance))
    }
    /// The models that are kept up in a year and fit.
    pub(super) fn kept(&self, year: u16, fits: impl Fn(&Model) -> bool) -> Vec<usize> {
        let models = self.models.iter().enumerate();
        models.filter(|(_, model)| model.kept == year && !model.withdrawn && fits(model)).map(|(index, _)| index).collect()
    }

    /// Three models are older than the district. Their register was never handed over, so rule 1 is waived for them.
    fn keep_up_what_came_from_before(&mut self) {
        for (number, on) in [(17, date(2014, 2, 20)), (41, date(2014, 2, 24)), (58, date(2014, 3, 3))] {
            let event = recognition::model_continued(format!("TL-2012-{number:04}"), 2014);
            let reason = "mô hình của huyện Từ Liêm cũ, chưa bàn giao sổ đăng ký";
            self.write(COMMISSION, event.on(on).overriding([1], reason).source("báo cáo năm 2013 của huyện Từ Liêm"));
        }
    }
    /// New ones are kept up less often than those that have proved themselves.
    fn keep_up(&mut self, year: u16) {
        for index in self.kept(year - 1, |_| true) {
            let chance = if self.models[index].year == year - 1 { 42 } else { 58 };
            if !self.chance.percent(chance) {
                continue;
            }
            let on = self.chance.day(date(year.into(), 1, 8), date(year.into(), 3, 31));
            let model = &mut self.models[index];
            (model.kept, model.kept_on) = (year, on);
            let (actor, event) = (clerk(model.ward), recognition::model_continued(&model.id, year));
            self.note(actor, on, event);
        }
    }

    fn register(&mut self, plan: &Year) {
        const TWICE: usize = 2;
        let total = plan.models + TWICE;
        let mut days: Vec<Date> = (0..total).map(|_| self.day_of_registration(plan.year)).collect();
        days.sort_unstable();
        let twice = self.chance.draw((total / 3..total).collect(), TWICE);
        let first = self.models.len();
        for (index, on) in days.into_iter().enumerate() {
            let id = format!("BTL-{}-{:04}", plan.year, index + 1);
            if twice.contains(&index) {
                let again = first + self.chance.below(self.models.len() - first);
                self.register_again(again, id, on);
            } else {
                self.register_one(id, plan.year, on, index);
            }
        }
    }
    /// Most models are registered in the first months, the rest until August.
    fn day_of_registration(&mut self, year: u16) -> Date {
        let year = i32::from(year);
        if self.chance.percent(85) {
            self.chance.day(date(year, 1, 6), date(year, 3, 31))
        } else {
            self.chance.day(date(year, 4, 1), date(year, 8, 31))
        }
    }
    fn register_one(&mut self, id: String, year: u16, on: Date, index: usize) {
        let ward = &WARDS[self.chance.below(WARDS.len())];
        let kind = match self.chance.below(100) {
            0..60 => SubjectKind::Collective,
            60..90 => SubjectKind::Individual,
            _ => SubjectKind::Household,
        };
        let (field, theme) = words::theme(&mut self.chance);
        let collective = format!("{}, {}", words::group(&mut self.chance), ward.name);
        let (title, subject) = match kind {
            SubjectKind::Collective => (format!("{theme} - {collective}"), Personal::None),
            _ => (theme.to_owned(), self.person()),
        };
        let mut event = recognition::model_registered(&id, title, kind, ward.id, field.clone(), year).subject(subject.clone());
        if self.chance.percent(30) {
            event = event.target(self.chance.pick(&words::TARGETS));
        }
        if self.chance.percent(25) {
            event = event.address(format!("Ngõ {}, {}", self.chance.between(1, 320), ward.name));
        }
        self.models.push(Model {
            id,
            ward,
            kind,
            field,
            title: event.title.clone(),
            collective,
            subject,
            year,
            kept: year,
            kept_on: on,
            withdrawn: false,
            by_district: false,
            by_city: false,
        });
        let source = format!("sổ đăng ký mô hình năm {year}, {}", ward.name);
        self.register_or_mistake(event, on, index, source);
    }

    /// New models take older ones of their field as examples.
    fn replicate(&mut self, year: u16) {
        let new = self.kept(year, |model| model.year == year);
        for replica in self.chance.draw(new, 38) {
            let Model { field, ward, kept_on, .. } = self.models[replica].clone();
            let examples = self.kept(year, |m| m.year < year && m.field == field && m.ward.id != ward.id && m.kept_on <= kept_on);
            if let Some(example) = self.chance.draw(examples, 1).pop() {
                let event = recognition::model_replicated(&self.models[example].id, &self.models[replica].id);
                self.note(clerk(ward), kept_on, event);
            }
        }
    }

    fn fund(&mut self, plan: &Year) {
        let kept = self.kept(plan.year, |_| true);
        let parts = |per_hundred: usize| plan.models * per_hundred / 100;
        for vnd in self.chance.portions(plan.cash_vnd, parts(32), 50_000) {
            self.give(&kept, Contribution::Cash { vnd }, Source::Socialised);
        }
        for days in self.chance.portions(plan.labour_days, parts(18), 1) {
            self.give(&kept, Contribution::Labour { days }, Source::Socialised);
        }
        for vnd in self.chance.portions(plan.goods_vnd, parts(5), 100_000) {
            let description = Some(self.chance.pick(&words::GOODS).to_owned());
            self.give(&kept, Contribution::InKind { vnd, description }, Source::Socialised);
        }
        for _ in 0..7 {
            let land = if self.chance.percent(60) { LandKind::Residential } else { LandKind::Farm };
            let square_decimetres = self.chance.between(450, 18_000);
            self.give(&kept, Contribution::Land { square_decimetres, land }, Source::Socialised);
        }
        // Public money, and what models and sponsors bring, is told apart from what residents give.
        for (source, times, most) in [(Source::Budget, 8, 160), (Source::Own, 14, 60), (Source::Sponsor, 6, 200)] {
            for _ in 0..times {
                let vnd = self.chance.between(20, most) * 100_000;
                self.give(&kept, Contribution::Cash { vnd }, source);
            }
        }
    }
    /// Something is given to one of these models, which are all kept up in the same year.
    fn give(&mut self, kept: &[usize], contribution: Contribution, source: Source) {
        let Model { id, ward, kept_on, kept: year, .. } = self.models[kept[self.chance.below(kept.len())]].clone();
        let on = self.chance.day(kept_on, date(year.into(), 9, 30));
        let qualifier = match (year, self.chance.below(100)) {
            // "Hơn 20 triệu": a ward that does not know it exactly says so.
            (_, 0..6) => Qualifier::MoreThan,
            // In the first years some reported round figures.
            (..=2016, 6..9) => Qualifier::About,
            (..=2016, 9) => Qualifier::LessThan,
            _ => Qualifier::Exact,
        };
        let mut event = recognition::model_funded(id, contribution, source).qualifier(qualifier);
        if source == Source::Socialised && self.chance.percent(45) {
            event = event.donor(self.person());
        }
        self.fund_or_mistake(ward, event, on);
    }

    /// At the end of the year, when nothing more is written about them.
    fn withdraw(&mut self, year: u16) {
        let kept = self.kept(year, |_| true);
        for index in self.chance.draw(kept, 22) {
            let on = self.chance.day(date(year.into(), 12, 2), date(year.into(), 12, 20));
            let reason = self.chance.pick(&words::WITHDRAWALS);
            let model = &mut self.models[index];
            model.withdrawn = true;
            let (actor, event) = (clerk(model.ward), recognition::model_withdrawn(&model.id, reason));
            self.note(actor, on, event);
        }
    }
}

/// A ward's own clerk.
pub(super) fn clerk(ward: &Ward) -> String {
    format!("clerk:{}", ward.id)
}
