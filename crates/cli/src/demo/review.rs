//! The yearly review: recognitions, plaques, proposals and commendations, each by a decision that lists many.

use super::office::{COMMISSION, EMULATION, Model, Office, Plaque, clerk};
use super::plan::Year;
use super::units::{CITY, DISTRICT, WARDS};
use sovang::recognition::{self, Decision, Form, Level, Recipient, RemovalReason, SubjectKind};
use sovang::{Date, date};
use time::{Duration, Weekday};

const DIPLOMAS_PROPOSED: usize = 9;
const MEDALS: usize = 2;

/// Decisions are given on working days.
fn working(day: Date) -> Date {
    match day.weekday() {
        Weekday::Saturday => day.saturating_add(Duration::days(2)),
        Weekday::Sunday => day.saturating_add(Duration::days(1)),
        _ => day,
    }
}

/// The recipient that a model's carrier is.
fn recipient(model: &Model) -> Recipient {
    match model.kind {
        SubjectKind::Collective => Recipient::collective(&model.collective),
        SubjectKind::Individual => Recipient::individual(model.subject.clone()),
        SubjectKind::Household => Recipient::household(model.subject.clone()),
    }
    .of_unit(model.ward.id)
}

impl Office {
    pub(super) fn review(&mut self, plan: &Year) {
        let year = i32::from(plan.year);
        self.remove_plaques(plan.year);
        self.recognise_in_wards(plan);
        let spring = working(self.chance.day(date(year, 5, 8), date(year, 5, 18)));
        let autumn = working(self.chance.day(date(year, 10, 1), date(year, 10, 7)));
        let mut listed = self.recognise(plan, spring, |planned| planned * 2 / 5);
        listed.extend(self.recognise(plan, autumn, |planned| planned - planned * 2 / 5));
        if plan.year >= 2016 {
            self.recognise_in_city(plan, autumn);
        }
        let ceremony = date(year, 10, 10);
        let collectives: Vec<usize> =
            listed.iter().copied().filter(|m| self.models[*m].kind == SubjectKind::Collective).collect();
        for model in self.chance.draw(collectives, 10) {
            self.mount(model, Level::District, ceremony, plan.occasion, None);
        }
        self.commend(plan, listed);
        match plan.year {
            2017 => self.supplement_of_2017(),
            2018 => self.fraud_of_2018(),
            2020 => self.certificate_of_2020_again(),
            2021 => self.thank_for_2021(),
            2024 => self.propose_beyond_the_district(),
            _ => {}
        }
    }

    /// Every ward recognises some of its own models in July, families among them.
    fn recognise_in_wards(&mut self, plan: &Year) {
        let year = i32::from(plan.year);
        for (index, ward) in WARDS.iter().enumerate() {
            let on = working(self.chance.day(date(year, 7, 3), date(year, 7, 26)));
            let decision = self.decision(ward.id, on);
            let candidates = self.kept(plan.year, |m| m.ward.id == ward.id && m.kept_on <= on);
            let count = self.chance.below(4) + 3;
            let listed = self.chance.draw(candidates, count);
            for model in &listed {
                let event = recognition::model_recognised(&self.models[*model].id, Level::Commune, decision.clone());
                self.note(clerk(ward), on, event);
            }
            if let (true, Some(best)) = (index % 2 == 0, listed.first()) {
                self.mount(*best, Level::Commune, on.saturating_add(Duration::days(5)), plan.occasion, None);
            }
        }
    }
    /// One round of the district: a decision for collectives and one for individuals. Gives the models listed.
    fn recognise(&mut self, plan: &Year, on: Date, of_planned: impl Fn(usize) -> usize) -> Vec<usize> {
        let mut all = Vec::new();
        for (kind, planned) in [(SubjectKind::Collective, plan.recognised.0), (SubjectKind::Individual, plan.recognised.1)] {
            let decision = self.decision(DISTRICT, on);
            let candidates = self.kept(plan.year, |m| m.kind == kind && !m.by_district && m.kept_on <= on);
            let listed = self.chance.draw(candidates, of_planned(planned));
            for (place, model) in listed.iter().enumerate() {
                self.models[*model].by_district = true;
                if place == 7 && kind == SubjectKind::Collective {
                    self.recognise_at_wrong_level(*model, &decision);
                    continue;
                }
                let mut event = recognition::model_recognised(&self.models[*model].id, Level::District, decision.clone());
                if self.chance.percent(22) {
                    event = event.tier("exemplar");
                }
                self.note(EMULATION, on, event);
            }
            match kind {
                SubjectKind::Collective if on.month() == time::Month::May => self.recognise_wrong_model(plan.year, &decision),
                SubjectKind::Individual if plan.year == 2021 && on.month() == time::Month::October => {
                    self.wrong_annulment_of_2021(decision);
                }
                _ => {}
            }
            all.extend(listed);
        }
        all
    }
    /// The city recognises some of those that the district has recognised, and mounts plaques by its own decision.
    fn recognise_in_city(&mut self, plan: &Year, on: Date) {
        let decision = self.decision(CITY, on);
        let candidates = self.kept(plan.year, |m| m.by_district && !m.by_city);
        for (place, model) in self.chance.draw(candidates, 6).into_iter().enumerate() {
            self.models[model].by_city = true;
            let event = recognition::model_recognised(&self.models[model].id, Level::City, decision.clone()).tier("exemplar");
            self.note(EMULATION, on, event);
            if place < 3 {
                self.mount(model, Level::City, date(plan.year.into(), 10, 10), plan.occasion, Some(decision.clone()));
            }
        }
    }

    pub(super) fn mount(&mut self, model: usize, level: Level, on: Date, occasion: &str, decision: Option<Decision>) {
        let year = on.year();
        let number = self.plaques.iter().filter(|plaque| plaque.year == year).count() + 1;
        let id = format!("BTL-P-{year}-{number:03}");
        let Model { id: of, ward, title, .. } = self.models[model].clone();
        let place = format!("Nhà văn hoá tổ dân phố số {}, {}", self.chance.between(1, 24), ward.name);
        let mut event = recognition::plaque_mounted(&id, of, level, place).occasion(occasion);
        if let Some(decision) = decision {
            event = event.decision(decision).inscription(format!("Công trình \"Dân vận khéo\"\n{title}\nChào mừng {occasion}"));
        }
        self.note(COMMISSION, on, event);
        self.plaques.push(Plaque { id, model, level, year, hangs: true });
    }
    /// Each spring somebody walks round and looks where plaques still hang.
    fn remove_plaques(&mut self, year: u16) {
        let year = i32::from(year);
        let hanging: Vec<usize> = (0..self.plaques.len()).filter(|index| self.plaques[*index].hangs).collect();
        let reasons = [RemovalReason::Missing, RemovalReason::Relocated, RemovalReason::Removed];
        for (index, reason) in self.chance.draw(hanging, reasons.len()).into_iter().zip(reasons) {
            let on = self.chance.day(date(year, 3, 10), date(year, 6, 10));
            self.plaques[index].hangs = false;
            let Plaque { id, model, level, .. } = self.plaques[index].clone();
            self.note(COMMISSION, on, recognition::plaque_removed(id, reason));
            if reason == RemovalReason::Relocated {
                self.mount(model, level, on, "di dời theo nhà văn hoá mới", None);
            }
        }
    }

    /// Wards propose in September; the district commends most of them by one decision before its ceremony.
    fn commend(&mut self, plan: &Year, listed: Vec<usize>) {
        const PROPOSED_IN_VAIN: usize = 4;
        let year = i32::from(plan.year);
        let on = working(date(year, 10, 8));
        let decision = self.decision(DISTRICT, on);
        let mut number = 0;
        let kinds =
            [(SubjectKind::Collective, plan.commended.0, 1_500_000), (SubjectKind::Individual, plan.commended.1, 700_000)];
        for (kind, commended, bonus_vnd) in kinds {
            let candidates = listed.iter().copied().filter(|m| self.models[*m].kind == kind).collect();
            for (place, model) in self.chance.draw(candidates, commended + PROPOSED_IN_VAIN).into_iter().enumerate() {
                number += 1;
                let model = self.models[model].clone();
                let id = format!("BTL-C-{year}-{number:03}");
                // Of a person it says which model, never who: an achievement is public.
                let achievement = format!("thành tích năm {year} trong xây dựng mô hình {}", model.id);
                let (form, level) = (Form::CertificateOfMerit, Level::District);
                let proposed_on = self.chance.day(date(year, 9, 5), date(year, 9, 20));
                let proposal = recognition::commendation_proposed(&id, recipient(&model), form, level).achievement(&achievement);
                self.note(clerk(model.ward), proposed_on, proposal);
                if place < commended {
                    let award = recognition::commendation_awarded(&id, recipient(&model), form, level, decision.clone());
                    self.note(EMULATION, on, award.bonus_vnd(bonus_vnd).achievement(achievement));
                }
            }
        }
    }
    /// In 2021 the city thanks four collectives outside the yearly round. No lower award and no proposal is needed for it.
    fn thank_for_2021(&mut self) {
        let on = date(2021, 11, 18);
        let decision = self.decision(CITY, on);
        let candidates = self.kept(2021, |m| m.kind == SubjectKind::Collective && m.by_district);
        for (number, model) in (801..).zip(self.chance.draw(candidates, 4)) {
            let (form, level) = (Form::DiplomaOfMerit, Level::City);
            let id = format!("BTL-C-2021-{number}");
            let award = recognition::commendation_awarded(id, recipient(&self.models[model]), form, level, decision.clone());
            self.note(EMULATION, on, award.achievement("phòng, chống dịch Covid-19"));
        }
    }
    /// In 2024 the district proposes collectives to the city, which has not answered yet, and two people to the central body.
    fn propose_beyond_the_district(&mut self) {
        let on = date(2024, 9, 23);
        let candidates = self.kept(2024, |m| m.kind == SubjectKind::Collective && m.by_district);
        for (number, model) in (801..).zip(self.chance.draw(candidates, DIPLOMAS_PROPOSED)) {
            let model = &self.models[model];
            let (id, recipient) = (format!("BTL-C-2024-{number}"), recipient(model));
            let achievement = format!("thành tích tiêu biểu 2014 - 2024: mô hình {}", model.id);
            let event =
                recognition::commendation_proposed(id, recipient, Form::DiplomaOfMerit, Level::City).achievement(achievement);
            self.note(COMMISSION, on, event);
        }
        let (form, level) = (Form::CommemorativeMedal, Level::Central);
        let decision = recognition::decision("Ban Dân vận Trung ương", "312-QĐ/BDVTW", date(2024, 10, 1));
        for (number, ward) in (901..).zip(&WARDS[..MEDALS]) {
            let id = format!("BTL-C-2024-{number}");
            let recipient = Recipient::individual(self.person()).of_unit(ward.id);
            self.note(COMMISSION, date(2024, 6, 17), recognition::commendation_proposed(&id, recipient.clone(), form, level));
            self.note(
                EMULATION,
                date(2024, 10, 4),
                recognition::commendation_awarded(id, recipient, form, level, decision.clone()),
            );
        }
    }
}
