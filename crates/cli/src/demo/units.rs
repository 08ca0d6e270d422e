//! The district, its thirteen wards, and what became of them on 1 July 2025.

use sovang::recognition::{self, Extent, Recognition, UnitDefined, UnitKind};
use sovang::{Date, Entry, RecordId, date};

pub(super) const CITY: &str = "ha-noi";
pub(super) const DISTRICT: &str = "bac-tu-liem";
/// The day on which the district was created.
pub(super) const CREATED: Date = date(2013, 12, 27);
/// The last day of districts.
const DISTRICTS_ENDED: Date = date(2025, 6, 30);
const REFORM: Date = date(2025, 7, 1);
const REFORM_ACT: &str = "1656/NQ-UBTVQH15";
const CROSSWALK: &str = "bảng đối chiếu địa giới như báo chí đưa tin, 2025";

/// A ward of the district: id, name, and the ids of the wards it went to in 2025.
#[derive(Debug)]
pub(super) struct Ward {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    successors: &'static [&'static str],
}

const fn ward(id: &'static str, name: &'static str, successors: &'static [&'static str]) -> Ward {
    Ward { id, name, successors }
}

pub(super) const WARDS: [Ward; 13] = [
    ward("phu-dien", "Phường Phú Diễn", &["phu-dien-2025"]),
    ward("thuong-cat", "Phường Thượng Cát", &["thuong-cat-2025"]),
    ward("lien-mac", "Phường Liên Mạc", &["thuong-cat-2025"]),
    ward("duc-thang", "Phường Đức Thắng", &["dong-ngac-2025"]),
    ward("co-nhue-2", "Phường Cổ Nhuế 2", &["dong-ngac-2025"]),
    ward("xuan-tao", "Phường Xuân Tảo", &["xuan-dinh-2025"]),
    ward("tay-tuu", "Phường Tây Tựu", &["tay-tuu-2025", "thuong-cat-2025"]),
    ward("thuy-phuong", "Phường Thụy Phương", &["thuong-cat-2025", "dong-ngac-2025"]),
    ward("dong-ngac", "Phường Đông Ngạc", &["dong-ngac-2025", "phu-thuong-2025"]),
    ward("phuc-dien", "Phường Phúc Diễn", &["phu-dien-2025", "xuan-phuong-2025"]),
    ward("xuan-dinh", "Phường Xuân Đỉnh", &["xuan-dinh-2025", "dong-ngac-2025", "phu-thuong-2025"]),
    ward("co-nhue-1", "Phường Cổ Nhuế 1", &["phu-dien-2025", "xuan-dinh-2025", "nghia-do-2025"]),
    ward("minh-khai", "Phường Minh Khai", &["tay-tuu-2025", "thuong-cat-2025", "xuan-phuong-2025"]),
];

/// Two wards of one name, before and after, are two units.
const SUCCESSORS: [(&str, &str); 8] = [
    ("phu-dien-2025", "Phường Phú Diễn"),
    ("thuong-cat-2025", "Phường Thượng Cát"),
    ("dong-ngac-2025", "Phường Đông Ngạc"),
    ("xuan-dinh-2025", "Phường Xuân Đỉnh"),
    ("tay-tuu-2025", "Phường Tây Tựu"),
    ("phu-thuong-2025", "Phường Phú Thượng"),
    ("xuan-phuong-2025", "Phường Xuân Phương"),
    ("nghia-do-2025", "Phường Nghĩa Đô"),
];

fn the_district() -> UnitDefined {
    recognition::unit_defined(DISTRICT, "Quận Bắc Từ Liêm", UnitKind::District, CREATED).parent(CITY)
}
fn the_ward(ward: &Ward) -> UnitDefined {
    recognition::unit_defined(ward.id, ward.name, UnitKind::Ward, CREATED).parent(DISTRICT)
}

/// The definitions with which the ledger begins, and the ids of those whose end is known later: the district's and each
/// ward's, in the order of [`WARDS`].
pub(super) fn definitions(mut id: impl FnMut() -> RecordId) -> (Vec<Entry<Recognition>>, Vec<RecordId>) {
    let city = recognition::unit_defined(CITY, "Thành phố Hà Nội", UnitKind::City, date(2008, 8, 1)).on(CREATED);
    let mut entries = vec![city];
    let mut ids = Vec::new();
    for unit in [the_district()].into_iter().chain(WARDS.iter().map(the_ward)) {
        let id = id();
        entries.push(unit.on(CREATED).with_id(id));
        ids.push(id);
    }
    (entries, ids)
}

/// What 1 July 2025 changed: the new wards, who went where, and the last day of what ended without a whole successor.
/// `ids` are those of [`definitions`].
pub(super) fn reform(ids: &[RecordId]) -> Vec<Entry<Recognition>> {
    let mut entries = Vec::new();
    for (id, name) in SUCCESSORS {
        entries.push(recognition::unit_defined(id, name, UnitKind::Ward, REFORM).parent(CITY).on(REFORM));
    }
    for ward in &WARDS {
        let extent = if ward.successors.len() == 1 { Extent::Whole } else { Extent::Part };
        for successor in ward.successors {
            let succeeded = recognition::unit_succeeded(ward.id, *successor, REFORM, REFORM_ACT, extent);
            entries.push(succeeded.on(REFORM).source(CROSSWALK));
        }
    }
    let ended = [the_district()].into_iter().chain(WARDS.iter().map(the_ward)).zip(ids);
    let whole = |unit: &UnitDefined| WARDS.iter().any(|ward| ward.id == unit.unit && ward.successors.len() == 1);
    for (unit, id) in ended.filter(|(unit, _)| !whole(unit)) {
        let correction = recognition::record_corrected(*id, unit.valid_to(DISTRICTS_ENDED), CREATED, "đơn vị kết thúc hoạt động");
        entries.push(correction.authority("203/2025/QH15").on(REFORM));
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_wards_went_whole_and_seven_were_split() {
        let whole = WARDS.iter().filter(|ward| ward.successors.len() == 1).count();
        assert_eq!((whole, WARDS.len() - whole), (6, 7));
        for successor in WARDS.iter().flat_map(|ward| ward.successors) {
            assert!(SUCCESSORS.iter().any(|(id, _)| id == successor), "{successor}");
        }
    }
}
