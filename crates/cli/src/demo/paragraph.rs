//! The paragraph that an office publishes after ten years, in English and in Vietnamese.

use super::figures::{BILLION, Figure, Figures, THOUSAND};
use sovang::recognition::tally::Bound;

/// A language of the paragraph: how it groups digits and how it words what a figure is.
struct Language {
    thousands: char,
    more_than: &'static str,
    nearly: &'static str,
    about: &'static str,
    billion: &'static str,
}

const ENGLISH: Language =
    Language { thousands: ',', more_than: "more than ", nearly: "nearly ", about: "about ", billion: "billion" };
const VIETNAMESE: Language =
    Language { thousands: '.', more_than: "hơn ", nearly: "gần ", about: "khoảng ", billion: "tỷ" };

impl Language {
    fn bound(&self, figure: Figure) -> &'static str {
        match figure.bound {
            None => "",
            Some(Bound::MoreThan) => self.more_than,
            Some(Bound::LessThan) => self.nearly,
            Some(Bound::About) => self.about,
        }
    }
    fn digits(&self, value: i128) -> String {
        let digits = value.to_string();
        let mut out = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                out.push(self.thousands);
            }
            out.push(digit);
        }
        out
    }
    fn number(&self, figure: Figure) -> String {
        format!("{}{}", self.bound(figure), self.digits(figure.value))
    }
    fn days(&self, figure: Figure) -> String {
        self.number(figure.in_whole(THOUSAND))
    }
    fn money(&self, figure: Figure) -> String {
        let figure = figure.in_whole(BILLION);
        if figure.value < BILLION {
            return format!("{} đồng", self.number(figure));
        }
        format!("{}{} {} đồng", self.bound(figure), self.digits(figure.value / BILLION), self.billion)
    }
}

/// In English.
pub(crate) fn english(figures: &Figures) -> String {
    let say = |figure| ENGLISH.number(figure);
    let (first, last) = figures.years.unwrap_or_default();
    let fields = if figures.all_fields { " in all fields of social life" } else { "" };
    format!(
        "From {first} to {last} the {wards} wards of Bắc Từ Liêm district registered {registered} \"skilful mobilisation\" models. \
         The district recognised {collectives} collectives and {individuals} individuals, and proposed {proposed} collectives to the \
         city for a diploma of merit. In 2024 alone {of_2024} models were registered{fields}, with {money} of socialised funding and \
         {days} labour days; the district commended {commended} collectives and {persons} individuals, and {medals} individuals \
         received a commemorative medal from the central body.",
        wards = say(figures.wards),
        registered = say(figures.registered),
        collectives = say(figures.recognised_collectives),
        individuals = say(figures.recognised_individuals),
        proposed = say(figures.proposed_collectives),
        of_2024 = say(figures.registered_2024),
        money = ENGLISH.money(figures.socialised_vnd),
        days = ENGLISH.days(figures.labour_days),
        commended = say(figures.commended_collectives),
        persons = say(figures.commended_individuals),
        medals = say(figures.medals_individuals),
    )
}

/// In Vietnamese.
pub(crate) fn vietnamese(figures: &Figures) -> String {
    let say = |figure| VIETNAMESE.number(figure);
    let (first, last) = figures.years.unwrap_or_default();
    let fields = if figures.all_fields { " trên tất cả các lĩnh vực của đời sống xã hội" } else { "" };
    format!(
        "Từ năm {first} đến năm {last}, {wards} phường của quận Bắc Từ Liêm đã đăng ký {registered} mô hình \"Dân vận khéo\". Quận công \
         nhận {collectives} tập thể và {individuals} cá nhân, đề nghị Thành phố tặng Bằng khen cho {proposed} tập thể. Riêng năm 2024 có \
         {of_2024} mô hình được đăng ký{fields}, huy động xã hội hoá {money} và {days} ngày công; quận khen thưởng {commended} tập thể \
         và {persons} cá nhân, {medals} cá nhân được Trung ương tặng Kỷ niệm chương.",
        wards = say(figures.wards),
        registered = say(figures.registered),
        collectives = say(figures.recognised_collectives),
        individuals = say(figures.recognised_individuals),
        proposed = say(figures.proposed_collectives),
        of_2024 = say(figures.registered_2024),
        money = VIETNAMESE.money(figures.socialised_vnd),
        days = VIETNAMESE.days(figures.labour_days),
        commended = say(figures.commended_collectives),
        persons = say(figures.commended_individuals),
        medals = say(figures.medals_individuals),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_each_language_does() {
        let figure = |value, bound| Figure { value, bound };
        let lower = Some(Bound::MoreThan);
        assert_eq!(ENGLISH.number(figure(6_977, None)), "6,977");
        assert_eq!(VIETNAMESE.number(figure(6_977, None)), "6.977");
        assert_eq!(VIETNAMESE.number(figure(1_234_567, Some(Bound::LessThan))), "gần 1.234.567");
        assert_eq!(VIETNAMESE.money(figure(7_441_050_000, lower)), "hơn 7 tỷ đồng");
        assert_eq!(ENGLISH.money(figure(117_400_000_000, None)), "more than 117 billion đồng");
        assert_eq!(ENGLISH.money(figure(999_999, Some(Bound::About))), "about 999,999 đồng");
        assert_eq!(ENGLISH.days(figure(3_187, lower)), "more than 3,000");
        assert_eq!(VIETNAMESE.days(figure(13_000, None)), "13.000");
    }
}
