//! What goes wrong in an office, and how it is put right: nothing is ever changed, something is added.
//!
//! Whatever is wrong here comes on top of the plan, or stands as the plan says once it is corrected, so that the totals
//! are exact in the end and were not in between.

use super::office::{COMMISSION, EMULATION, Model, Office, clerk};
use super::units::{DISTRICT, WARDS, Ward};
use super::words::FIELDS;
use super::{press, words};
use sovang::recognition::{
    self, Contribution, Decision, Form, Ground, Level, ModelFunded, ModelRegistered, Recipient, Recognition, SubjectKind,
};
use sovang::{Date, Event as _, date};
use time::Duration;

const AUTHORITY: &str = "Ban Dân vận Quận uỷ";
/// The last day before the book is closed for the report of 2024.
const LAST_DAY: Date = date(2024, 10, 11);

impl Office {
    /// When somebody notices: after some weeks, or when the next year's books are prepared; before the report in any case.
    fn noticed(&mut self, on: Date) -> Date {
        let next_year = date(on.year() + 1, 1, 8);
        let noticed = if self.chance.percent(25) {
            self.chance.day(next_year, next_year.saturating_add(Duration::days(40)))
        } else {
            self.chance.day(on, on.saturating_add(Duration::days(45)))
        };
        if on <= LAST_DAY { noticed.min(LAST_DAY) } else { noticed }
    }
    /// Something is entered wrongly, and corrected when it is noticed.
    fn correct<E: Into<Recognition>>(&mut self, actor: String, (wrong, right): (E, E), on: Date, reason: &str) {
        let id = self.chance.id(on);
        let noticed = self.noticed(on);
        self.write(actor, wrong.into().on(on).with_id(id));
        self.note(COMMISSION, noticed, recognition::record_corrected(id, right, on, reason).authority(AUTHORITY));
    }
    /// Something is entered that should not stand, and retracted when it is noticed.
    fn retract(&mut self, actor: String, wrong: impl Into<Recognition>, on: Date, reason: impl Into<String>) {
        let id = self.chance.id(on);
        let noticed = self.noticed(on);
        self.write(actor, wrong.into().on(on).with_id(id));
        self.note(COMMISSION, noticed, recognition::record_retracted(id, reason).authority(AUTHORITY));
    }

    /// A registration; here and there one with the wrong ward, year or field.
    pub(super) fn register_or_mistake(&mut self, right: ModelRegistered, on: Date, place: usize, source: String) {
        let ward = self.models.last().map_or(&WARDS[0], |model| model.ward);
        let mut wrong = right.clone();
        let reason = match place % 240 {
            31 => {
                let other = WARDS.iter().cycle().skip_while(|w| w.id != ward.id).nth(1).unwrap_or(ward);
                other.id.clone_into(&mut wrong.unit);
                "ghi nhầm phường"
            }
            113 if right.year > 2014 => {
                wrong.year -= 1;
                "ghi nhầm năm đăng ký"
            }
            197 => {
                let next = FIELDS.iter().map(|(field, _)| field).cycle().skip_while(|field| **field != right.field).nth(1);
                wrong.field = next.unwrap_or(&right.field).clone();
                "ghi nhầm lĩnh vực"
            }
            _ => return self.write(clerk(ward), right.on(on).source(source)),
        };
        self.correct(clerk(ward), (wrong, right), on, reason);
    }
    /// A model is entered under a second number, which stays empty when that is noticed.
    pub(super) fn register_again(&mut self, model: usize, id: String, on: Date) {
        let Model { id: first, title, kind, ward, field, year, subject, .. } = self.models[model].clone();
        let again = recognition::model_registered(id, title, kind, ward.id, field, year).subject(subject);
        self.retract(clerk(ward), again, on, format!("đăng ký trùng với {first}"));
    }
    /// A gift; here and there one with a zero too many, or one that is entered twice.
    pub(super) fn fund_or_mistake(&mut self, ward: &Ward, right: ModelFunded, on: Date) {
        match right.contribution {
            Contribution::Cash { vnd } if self.chance.percent(2) => {
                let mut wrong = right.clone();
                wrong.contribution = Contribution::Cash { vnd: vnd * 10 };
                self.correct(clerk(ward), (wrong, right), on, "thừa một số không");
            }
            _ => {
                if self.chance.percent(1) {
                    self.retract(clerk(ward), right.clone(), on, "nhập hai lần");
                }
                self.note(clerk(ward), on, right);
            }
        }
    }

    /// A recognition by the district is entered as one by the city.
    pub(super) fn recognise_at_wrong_level(&mut self, model: usize, decision: &Decision) {
        let model = &mut self.models[model];
        // Until somebody notices, its place at the city's level is taken (rule 4).
        model.by_city = true;
        let at = |level| recognition::model_recognised(&model.id, level, decision.clone());
        let (wrong, right) = (at(Level::City), at(Level::District));
        self.correct(EMULATION.to_owned(), (wrong, right), decision.date, "ghi nhầm cấp công nhận");
    }
    /// A model is taken for another that the decision lists.
    pub(super) fn recognise_wrong_model(&mut self, year: u16, decision: &Decision) {
        let others = self.kept(year, |m| m.kind == SubjectKind::Collective && !m.by_district && m.kept_on <= decision.date);
        let Some(other) = self.chance.draw(others, 1).pop() else { return };
        let wrong = recognition::model_recognised(&self.models[other].id, Level::District, decision.clone());
        let id = self.chance.id(decision.date);
        self.write(EMULATION, wrong.on(decision.date).with_id(id));
        let noticed = decision.date.saturating_add(Duration::days(19));
        self.note(EMULATION, noticed, recognition::record_retracted(id, "mô hình không có tên trong quyết định"));
    }

    /// Late in 2017 four more models were recognised, and a plaque mounted; the papers were false. The plaque hangs there
    /// still: it is flagged.
    pub(super) fn supplement_of_2017(&mut self) {
        let on = date(2017, 11, 20);
        let decision = self.decision(DISTRICT, on);
        let candidates = self.kept(2017, |m| m.kind == SubjectKind::Collective && !m.by_district);
        let listed = self.chance.draw(candidates, 4);
        for model in &listed {
            let event = recognition::model_recognised(&self.models[*model].id, Level::District, decision.clone());
            self.note(EMULATION, on, event);
        }
        if let Some(first) = listed.first() {
            self.mount(*first, Level::District, date(2017, 12, 1), "Ngày Dân vận của cả nước 15/10", None);
            // Nobody may move it: nothing supports another mounting (rule 2).
            if let Some(plaque) = self.plaques.last_mut() {
                plaque.hangs = false;
            }
        }
        let annulled_on = date(2018, 3, 15);
        let by = self.decision(DISTRICT, annulled_on);
        let event = recognition::decision_annulled(decision, Ground::FalsePapers, by).artefact("thu hồi 4 giấy công nhận");
        self.note(EMULATION, annulled_on, event);
    }
    /// A certificate of 2018 rested on figures that nobody had reached; its bonus was paid back.
    pub(super) fn fraud_of_2018(&mut self) {
        const BONUS_VND: i64 = 1_500_000;
        let on = date(2018, 10, 24);
        let decision = self.decision(DISTRICT, on);
        let recipient =
            Recipient::collective(format!("{}, {}", words::group(&mut self.chance), WARDS[11].name)).of_unit(WARDS[11].id);
        let award = recognition::commendation_awarded(
            "BTL-C-2018-900",
            recipient,
            Form::CertificateOfMerit,
            Level::District,
            decision.clone(),
        )
        .bonus_vnd(BONUS_VND)
        .achievement("vận động 420 hộ hiến đất mở ngõ");
        self.note(EMULATION, on, award);
        let annulled_on = date(2019, 2, 20);
        let by = self.decision(DISTRICT, annulled_on);
        let event = recognition::decision_annulled(decision, Ground::FraudulentDeclaration, by).bonus_recovered_vnd(BONUS_VND);
        self.note(EMULATION, annulled_on, event.artefact("thu hồi giấy khen"));
    }
    /// In 2020 a certificate is given a second time, because the first was lost in a flood: rule 5 is waived.
    pub(super) fn certificate_of_2020_again(&mut self) {
        let on = date(2020, 10, 26);
        let recipient = || Recipient::collective("Trạm Y tế phường Liên Mạc").of_unit("lien-mac");
        let achievement = "thường trực phòng, chống dịch Covid-19 tại khu cách ly";
        for (id, first) in [("BTL-C-2020-900", true), ("BTL-C-2020-901", false)] {
            let decision = self.decision(DISTRICT, on);
            let award = recognition::commendation_awarded(id, recipient(), Form::CertificateOfMerit, Level::District, decision);
            let entry = award.achievement(achievement).on(on);
            let again = "cấp lại giấy khen bị hỏng do mưa ngập";
            self.write(EMULATION, if first { entry } else { entry.overriding([5], again) });
        }
    }
    /// In 2021 the wrong decision is entered as annulled. The annulment is retracted: the decision stands again.
    pub(super) fn wrong_annulment_of_2021(&mut self, decision: Decision) {
        let on = date(2021, 11, 10);
        let id = self.chance.id(on);
        let by = self.decision(DISTRICT, on);
        let event = recognition::decision_annulled(decision, Ground::StandardNotMet, by);
        self.write(EMULATION, event.on(on).with_id(id));
        let event = recognition::record_retracted(id, "nhập nhầm số quyết định bị huỷ").authority(AUTHORITY);
        self.note(EMULATION, date(2022, 1, 12), event);
    }
}

const _: () = assert!(LAST_DAY.to_julian_day() < press::DAY.to_julian_day());
