//! How much happens in each year. The sums are those of the published paragraph; how they spread over the years is invented.

/// A year of the movement, as its books will stand in the end: what is entered wrongly comes on top and is put right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Year {
    pub(super) year: u16,
    /// Models registered.
    pub(super) models: usize,
    /// Collectives and individuals recognised by the district.
    pub(super) recognised: (usize, usize),
    /// Collectives and individuals commended by the district.
    pub(super) commended: (usize, usize),
    /// Socialised money in đồng.
    pub(super) cash_vnd: i64,
    /// Socialised goods in đồng.
    pub(super) goods_vnd: i64,
    /// Socialised labour in days.
    pub(super) labour_days: i64,
    /// What plaques are mounted for.
    pub(super) occasion: &'static str,
}

const fn year(
    year: u16,
    models: usize,
    recognised: (usize, usize),
    commended: (usize, usize),
    (cash_vnd, goods_vnd, labour_days): (i64, i64, i64),
    occasion: &'static str,
) -> Year {
    Year { year, models, recognised, commended, cash_vnd, goods_vnd, labour_days, occasion }
}

/// Ten years, and the one in which the report was written.
pub(super) const YEARS: [Year; 11] = [
    year(2014, 412, (52, 41), (18, 8), (2_315_600_000, 140_500_000, 1_420), "60 năm Ngày Giải phóng Thủ đô"),
    year(2015, 538, (66, 55), (20, 9), (2_870_250_000, 163_200_000, 1_655), "85 năm Ngày truyền thống công tác Dân vận"),
    year(2016, 655, (78, 66), (24, 11), (3_402_900_000, 188_000_000, 1_902), "Đại hội đại biểu toàn quốc lần thứ XII của Đảng"),
    year(2017, 689, (83, 70), (25, 11), (3_911_350_000, 204_750_000, 2_118), "Ngày Dân vận của cả nước 15/10"),
    year(2018, 702, (88, 74), (28, 12), (4_520_800_000, 231_400_000, 2_340), "5 năm thành lập quận"),
    year(2019, 731, (95, 80), (40, 22), (5_137_450_000, 256_300_000, 2_567), "65 năm Ngày Giải phóng Thủ đô"),
    year(2020, 684, (84, 71), (27, 12), (5_368_100_000, 402_900_000, 2_211), "90 năm Ngày truyền thống công tác Dân vận"),
    year(2021, 617, (72, 62), (31, 17), (5_902_700_000, 618_350_000, 1_876), "Đại hội đại biểu toàn quốc lần thứ XIII của Đảng"),
    year(2022, 702, (90, 76), (29, 13), (6_214_550_000, 295_800_000, 2_704), "Ngày Dân vận của cả nước 15/10"),
    year(2023, 698, (92, 78), (33, 14), (6_731_900_000, 304_150_000, 2_893), "10 năm thành lập quận"),
    year(2024, 549, (85, 75), (36, 15), (7_128_450_000, 312_600_000, 3_187), "70 năm Ngày Giải phóng Thủ đô"),
];

const _: () = {
    let (mut models, mut collectives, mut individuals, mut index) = (0, 0, 0, 0);
    while index < YEARS.len() {
        models += YEARS[index].models;
        collectives += YEARS[index].recognised.0;
        individuals += YEARS[index].recognised.1;
        index += 1;
    }
    assert!(models == 6_977 && collectives == 885 && individuals == 748);
};
