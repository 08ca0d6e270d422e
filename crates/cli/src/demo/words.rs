//! What the invented district writes into its books: titles, groups, people, reasons. Every person is made up.

use super::chance::Chance;
use sovang::recognition::Field;

/// The four fields, each with what its models are about.
pub(super) const FIELDS: [(Field, &[&str]); 4] = [
    (
        Field::Economy,
        &[
            "Vườn rau sạch",
            "Trồng bưởi Diễn theo hướng hữu cơ",
            "Trồng hoa trong nhà lưới",
            "Tổ tiết kiệm và vay vốn quay vòng",
            "Cửa hàng thực phẩm an toàn",
            "Chợ văn minh, không túi ni lông",
            "Giúp nhau giảm nghèo bền vững",
            "Hỗ trợ phụ nữ khởi nghiệp",
            "Giữ nghề bún, bánh truyền thống",
        ],
    ),
    (
        Field::CultureSociety,
        &[
            "Đường hoa tự quản",
            "Tuyến phố xanh, sạch, đẹp",
            "Ngõ văn minh, nhà kiểu mẫu",
            "Đổi rác tái chế lấy cây xanh",
            "Việc tang văn minh, tiến bộ",
            "Tủ sách cộng đồng",
            "Khuyến học, tiếp bước đến trường",
            "Nồi cháo tình thương",
            "Sân chơi cho em",
            "Câu lạc bộ ông bà cháu",
        ],
    ),
    (
        Field::DefenceSecurity,
        &[
            "Camera an ninh",
            "Tiếng kẻng an ninh",
            "Ánh sáng an ninh",
            "Tổ liên gia an toàn phòng cháy, chữa cháy",
            "Cổng trường an toàn giao thông",
            "Khu dân cư không có tội phạm và tệ nạn",
            "Tiếp sức tân binh lên đường nhập ngũ",
        ],
    ),
    (
        Field::PoliticalSystem,
        &[
            "Một cửa thân thiện",
            "Ngày thứ Bảy vì dân",
            "Giải quyết thủ tục hành chính tại nhà",
            "Tổ công nghệ số cộng đồng",
            "Đối thoại với nhân dân hằng quý",
            "Vận động giải phóng mặt bằng",
            "Chi bộ bốn tốt",
        ],
    ),
];

const GROUPS: [&str; 7] = [
    "Tổ dân phố số",
    "Chi bộ tổ dân phố số",
    "Ban Công tác Mặt trận tổ dân phố số",
    "Chi hội Phụ nữ tổ dân phố số",
    "Chi hội Cựu chiến binh tổ dân phố số",
    "Chi hội Người cao tuổi tổ dân phố số",
    "Chi đoàn Thanh niên tổ dân phố số",
];
const FAMILIES: [&str; 14] =
    ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương", "Lý"];
const MIDDLES: [&str; 10] = ["Văn", "Thị", "Minh", "Thanh", "Đức", "Ngọc", "Hữu", "Thu", "Quang", "Kim"];
const GIVEN: [&str; 24] = [
    "An", "Bình", "Chi", "Dung", "Đạt", "Giang", "Hà", "Hải", "Hạnh", "Hoa", "Hùng", "Khánh", "Lan", "Liên", "Long", "Mai",
    "Nam", "Nga", "Phúc", "Sơn", "Tâm", "Thảo", "Tuấn", "Yến",
];

pub(super) const GOODS: [&str; 8] = [
    "xi măng và cát",
    "gạch lát vỉa hè",
    "cây xanh và chậu hoa",
    "camera giám sát",
    "đèn chiếu sáng",
    "bình chữa cháy",
    "sách và giá sách",
    "dụng cụ thể thao ngoài trời",
];
pub(super) const TARGETS: [&str; 5] = [
    "100% hộ dân trong tổ tham gia",
    "duy trì cả năm, sơ kết hằng quý",
    "vận động ít nhất 50 hộ",
    "không để phát sinh điểm rác mới",
    "không có vụ việc phức tạp về an ninh trật tự",
];
pub(super) const WITHDRAWALS: [&str; 5] = [
    "không còn phù hợp với điều kiện thực tế",
    "người phụ trách chuyển nơi ở",
    "sáp nhập vào mô hình khác của phường",
    "khu đất được thu hồi để làm đường",
    "không duy trì được hoạt động",
];

/// A theme of a field.
pub(super) fn theme(chance: &mut Chance) -> (Field, &'static str) {
    let (field, themes) = &FIELDS[chance.below(FIELDS.len())];
    (field.clone(), chance.pick(themes))
}

/// A group of residents.
pub(super) fn group(chance: &mut Chance) -> String {
    format!("{} {}", chance.pick(&GROUPS), chance.between(1, 24))
}

/// A person who does not exist.
pub(super) fn person(chance: &mut Chance) -> String {
    format!("{} {} {}", chance.pick(&FAMILIES), chance.pick(&MIDDLES), chance.pick(&GIVEN))
}
