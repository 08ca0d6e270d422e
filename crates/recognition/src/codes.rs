//! The closed lists of the vocabulary (docs: "Codes"), and the one open one, [`Field`].
//!
//! A code is stored as its place in its list: never reorder one, never remove one, add at the end only. The locked
//! schema listing fails a test otherwise.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A text that is none of a list's codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCode {
    /// What the list is of.
    pub list: &'static str,
    /// The text.
    pub given: String,
    /// The codes there are.
    pub allowed: &'static [&'static str],
}
impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no {}: it is one of {}", self.given, self.list, self.allowed.join(", "))?;
        if self.list == Field::LIST {
            f.write_str(", or another text in lower snake case")?;
        }
        Ok(())
    }
}
impl std::error::Error for UnknownCode {}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident, $list:literal { $($(#[$variant_doc:meta])* $variant:ident = $code:literal,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
            pub enum $name {
                $($(#[$variant_doc])* $variant,)*
            }
            impl $name {
                /// What the list is of, as messages say it.
                pub const LIST: &'static str = $list;
                /// Every one, in the list's order.
                pub const ALL: &'static [Self] = &[$(Self::$variant),*];
                /// Every code, in the list's order.
                pub const CODES: &'static [&'static str] = &[$($code),*];
                /// As it is written in the interchange and in reports.
                #[must_use]
                pub const fn code(self) -> &'static str {
                    match self { $(Self::$variant => $code,)* }
                }
            }
            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.pad(self.code())
                }
            }
            impl FromStr for $name {
                type Err = UnknownCode;
                fn from_str(given: &str) -> Result<Self, UnknownCode> {
                    match given {
                        $($code => Ok(Self::$variant),)*
                        _ => Err(UnknownCode { list: Self::LIST, given: given.to_owned(), allowed: Self::CODES }),
                    }
                }
            }
        )*
    };
}

codes! {
    /// Who carries a model or receives a commendation (tập thể, cá nhân, hộ).
    SubjectKind, "subject kind" {
        /// A group, residential cluster, department.
        Collective = "collective",
        /// One person.
        Individual = "individual",
        /// One family.
        Household = "household",
    }
    /// At which level something is recognised, awarded or mounted, from the lowest up.
    Level, "level" {
        /// Ward or commune.
        Commune = "commune",
        /// District.
        District = "district",
        /// City under the central government.
        City = "city",
        /// Province.
        Province = "province",
        /// The central bodies.
        Central = "central",
    }
    /// What a unit is.
    UnitKind, "unit kind" {
        /// Phường.
        Ward = "ward",
        /// Xã.
        Commune = "commune",
        /// Đặc khu.
        SpecialZone = "special_zone",
        /// Quận, huyện.
        District = "district",
        /// Thành phố.
        City = "city",
        /// Tỉnh.
        Province = "province",
        /// An office or department.
        Department = "department",
        /// A residential group.
        Group = "group",
        /// Anything else.
        Other = "other",
    }
    /// How much of a unit goes over into its successor.
    Extent, "extent" {
        /// All of it: the unit ends.
        Whole = "whole",
        /// A part of it.
        Part = "part",
    }
    /// Where a contribution comes from.
    Source, "source" {
        /// Given by residents and others (xã hội hoá).
        Socialised = "socialised",
        /// Public money.
        Budget = "budget",
        /// A sponsor.
        Sponsor = "sponsor",
        /// The model's own means.
        Own = "own",
    }
    /// How a figure relates to the truth.
    Qualifier, "qualifier" {
        /// The figure is the truth.
        Exact = "exact",
        /// Hơn, trên: the truth is more.
        MoreThan = "more_than",
        /// Gần: the truth is less.
        LessThan = "less_than",
        /// Khoảng: the truth is near.
        About = "about",
    }
    /// What land was used for before it was given.
    LandKind, "land kind" {
        /// Đất ở.
        Residential = "residential",
        /// Đất nông nghiệp.
        Farm = "farm",
    }
    /// Why a plaque is no longer there.
    RemovalReason, "plaque removal" {
        /// Taken down.
        Removed = "removed",
        /// Mounted elsewhere.
        Relocated = "relocated",
        /// Gone.
        Missing = "missing",
    }
    /// The form of a commendation.
    Form, "form" {
        /// Giấy khen.
        CertificateOfMerit = "certificate_of_merit",
        /// Bằng khen.
        DiplomaOfMerit = "diploma_of_merit",
        /// Kỷ niệm chương.
        CommemorativeMedal = "commemorative_medal",
        /// Huân chương.
        Order = "order",
        /// Huy chương.
        Medal = "medal",
        /// Danh hiệu vinh dự.
        HonoraryTitle = "honorary_title",
        /// Giải thưởng nhà nước.
        StatePrize = "state_prize",
    }
    /// Why a decision is annulled.
    Ground, "ground" {
        /// The achievement was declared fraudulently.
        FraudulentDeclaration = "fraudulent_declaration",
        /// The papers were false.
        FalsePapers = "false_papers",
        /// The appraisal broke the law.
        UnlawfulAppraisal = "unlawful_appraisal",
        /// The standard was not met.
        StandardNotMet = "standard_not_met",
    }
}

/// The field of social life that a model belongs to: one of four, or another that an office keeps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Field {
    /// Kinh tế.
    Economy,
    /// Văn hoá - xã hội.
    CultureSociety,
    /// Quốc phòng - an ninh.
    DefenceSecurity,
    /// Hệ thống chính trị.
    PoliticalSystem,
    /// Another one, in lower snake case; never the code of one of the four.
    Other(String),
}
impl Field {
    /// What the list is of, as messages say it.
    pub const LIST: &'static str = "field";
    /// The four codes there always are.
    pub const CODES: &'static [&'static str] = &["economy", "culture_society", "defence_security", "political_system"];
    /// Bytes of another field's code.
    pub const OTHER_BYTES_MAX: usize = 128;
    /// As it is written in the interchange and in reports.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Economy => "economy",
            Self::CultureSociety => "culture_society",
            Self::DefenceSecurity => "defence_security",
            Self::PoliticalSystem => "political_system",
            Self::Other(code) => code,
        }
    }
    /// Whether the code is one that [`FromStr`] would give as this very value.
    pub(crate) fn is_sound(&self) -> bool {
        match self {
            Self::Other(code) => code.parse().as_ref() == Ok(self),
            _ => true,
        }
    }
}
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}
impl FromStr for Field {
    type Err = UnknownCode;
    fn from_str(given: &str) -> Result<Self, UnknownCode> {
        let snake_case = given.starts_with(|c: char| c.is_ascii_lowercase())
            && given
                .split('_')
                .all(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
        match given {
            "economy" => Ok(Self::Economy),
            "culture_society" => Ok(Self::CultureSociety),
            "defence_security" => Ok(Self::DefenceSecurity),
            "political_system" => Ok(Self::PoliticalSystem),
            other if snake_case && other.len() <= Self::OTHER_BYTES_MAX => Ok(Self::Other(other.to_owned())),
            _ => Err(UnknownCode { list: Self::LIST, given: given.to_owned(), allowed: Self::CODES }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_values_go_both_ways() {
        for (level, code) in Level::ALL.iter().zip(Level::CODES) {
            assert_eq!((level.code(), code.parse()), (*code, Ok(*level)));
        }
        for code in Field::CODES {
            let field: Field = code.parse().expect("a field");
            assert_eq!(field.code(), *code);
            assert!(!matches!(field, Field::Other(_)));
        }
        assert!(Level::Commune < Level::Central);
        let refused = "ward".parse::<Level>().expect_err("no level").to_string();
        assert_eq!(refused, "\"ward\" is no level: it is one of commune, district, city, province, central");
    }

    #[test]
    fn another_field_is_lower_snake_case() {
        assert_eq!("green_living_2".parse(), Ok(Field::Other("green_living_2".into())));
        for bad in ["", "_a", "a_", "a__b", "Green", "a-b", "2a", "môi_trường", &"a".repeat(129)] {
            assert!(bad.parse::<Field>().is_err(), "{bad}");
        }
        assert!(!Field::Other("economy".into()).is_sound());
    }
}
