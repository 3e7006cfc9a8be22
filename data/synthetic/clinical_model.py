"""What the world knows of disease and care, as tables: conditions, drugs, measurements, codes and teams. Data, not code.

SNOMED CT concepts are those of the clinical reference (section 5.3), ICD-10 prefixes section 5.2, BNF prefixes section 5.5, the
HRGs and OPCS-4 codes have the right shape. Drug product codes are fictional (`999000…`,
outside dm+d). Prevalence is given as the
share ever affected by age, so that one random draw a person and condition gives both who is affected and since when.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: Ages at which `Condition.men` and `Condition.women` are given; between them prevalence is interpolated.
AGES = (0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90)


@dataclass(frozen=True)
class Condition:
    """A disease: how it is written down, whom it meets, and what care it brings (rates are per person affected and year)."""

    term: str
    snomed: tuple[str, ...]  # the first is the most used
    icd10: tuple[str, ...]  # without dot
    men: tuple[float, ...]  # per cent ever affected by age, at AGES, before `risks` and `ethnicity`
    women: tuple[float, ...]
    deprivation: float = 1.0  # risk ratio of the most against the least deprived decile
    ethnicity: dict[str, float] = field(default_factory=dict)  # ethnic categories ("HJK") -> risk ratio
    risks: dict[str, float] = field(default_factory=dict)  # earlier conditions in this table -> risk ratio
    undiagnosed: float = 0.0  # share of the affected nobody has coded
    resolves: float = 0.0  # share that resolves within ten years
    resolved_snomed: str | None = None
    gp_contacts: float = 0.0
    emergency_admissions: float = 0.0
    attendances: float = 0.0  # outpatient
    specialty: str = "300"
    drugs: tuple[str, ...] = ()  # keys of DRUGS, taken by `treated`
    treated: float = 0.8
    measurements: dict[str, float] = field(default_factory=dict)  # kind -> per year
    review_snomed: str | None = None
    mortality: float = 1.0  # hazard ratio


_SOUTH_ASIAN, _BLACK = "HJKL", "MNP"

#: Order matters: `risks` names conditions above.
CONDITIONS: dict[str, Condition] = {
    "obesity": Condition(
        "Obesity", ("414916001",), ("E669",),
        (0, 0.78, 2.3, 6.2, 11.7, 15.6, 18.7, 20.3, 20.3, 17.2, 11.7),
        (0, 0.78, 2.3, 7, 13.3, 17.2, 20.3, 21.8, 21.8, 17.9, 11.7),
        deprivation=1.7, ethnicity={_BLACK: 1.25}, undiagnosed=0.35, measurements={"bmi": 0.7},
    ),
    "hypertension": Condition(
        "Essential hypertension", ("59621000", "38341003", "1201005"), ("I10",),
        (0, 0, 0, 0.47, 2.2, 7.1, 16.6, 28.4, 41.1, 50.6, 55.3),
        (0, 0, 0, 0.4, 1.7, 5.9, 15, 26.9, 40.3, 51.4, 56.1),
        deprivation=1.15, ethnicity={_BLACK: 1.35, _SOUTH_ASIAN: 1.1}, risks={"obesity": 1.4}, undiagnosed=0.2,
        resolved_snomed="162659009", gp_contacts=0.8, attendances=0.05, specialty="320",
        drugs=("ramipril", "amlodipine", "indapamide"), treated=0.9, measurements={"bp": 2.0, "egfr": 0.8, "cholesterol": 0.5},
        review_snomed="401118009", mortality=1.1,
    ),
    "diabetes_type_2": Condition(
        "Diabetes mellitus type 2", ("44054006", "73211009"), ("E119",),
        (0, 0, 0, 0.066, 0.59, 2.1, 5.3, 9.2, 12.5, 13.9, 13.2),
        (0, 0, 0, 0.066, 0.53, 1.6, 3.6, 6.6, 9.2, 10.6, 9.9),
        deprivation=1.7, ethnicity={_SOUTH_ASIAN: 2.2, _BLACK: 1.7, "S": 1.4}, risks={"obesity": 2.0}, undiagnosed=0.15,
        resolved_snomed="315051004", resolves=0.02, gp_contacts=1.6, emergency_admissions=0.02, attendances=0.25,
        specialty="307", drugs=("metformin", "gliclazide", "empagliflozin", "atorvastatin"), treated=0.85,
        measurements={"hba1c": 2.0, "bp": 1.5, "egfr": 1.2, "cholesterol": 1.0, "uacr": 0.8, "bmi": 1.0},
        review_snomed="170777000", mortality=1.35,
    ),
    "diabetes_type_1": Condition(
        "Diabetes mellitus type 1", ("46635009",), ("E109",),
        (0, 0.05, 0.2, 0.4, 0.5, 0.55, 0.6, 0.6, 0.6, 0.6, 0.6),
        (0, 0.05, 0.2, 0.35, 0.42, 0.48, 0.5, 0.5, 0.5, 0.5, 0.5),
        gp_contacts=2, emergency_admissions=0.08, attendances=1.2, specialty="307",
        drugs=("insulin_glargine", "insulin_aspart"), treated=1.0,
        measurements={"hba1c": 2.5, "bp": 1.2, "egfr": 1.0, "cholesterol": 0.8, "uacr": 0.8}, review_snomed="170777000",
        mortality=1.8,
    ),
    "non_diabetic_hyperglycaemia": Condition(
        "Non-diabetic hyperglycaemia", ("700449008",), ("R739",),
        (0, 0, 0, 0.2, 1.2, 4, 7.5, 11, 14, 16, 16),
        (0, 0, 0, 0.2, 1.2, 4, 7.5, 11, 14, 16, 16),
        ethnicity={_SOUTH_ASIAN: 1.6, _BLACK: 1.4}, risks={"obesity": 1.6}, undiagnosed=0.2, measurements={"hba1c": 0.9},
        gp_contacts=0.3,
    ),
    "hyperlipidaemia": Condition(
        "Hyperlipidaemia", ("55822004",), ("E785",),
        (0, 0, 0, 0.5, 2, 6, 12, 18, 22, 22, 20),
        (0, 0, 0, 0.4, 1.5, 4.5, 10, 17, 22, 22, 20),
        risks={"hypertension": 1.4}, undiagnosed=0.2, drugs=("atorvastatin",), treated=0.6, measurements={"cholesterol": 0.8},
    ),
    "coronary_heart_disease": Condition(
        "Coronary heart disease", ("53741008", "414545008", "194828000"), ("I251", "I209", "I259"),
        (0, 0, 0, 0, 0.078, 0.36, 1.4, 3.7, 7.3, 10.9, 13.5),
        (0, 0, 0, 0, 0.042, 0.16, 0.52, 1.4, 3.1, 5.7, 7.8),
        deprivation=1.6, ethnicity={_SOUTH_ASIAN: 1.5}, risks={"hypertension": 1.4, "diabetes_type_2": 1.6}, gp_contacts=1.0,
        emergency_admissions=0.10, attendances=0.6, specialty="320",
        drugs=("atorvastatin", "aspirin", "bisoprolol", "ramipril"), treated=0.92,
        measurements={"bp": 1.2, "cholesterol": 0.8}, mortality=1.5,
    ),
    "myocardial_infarction": Condition(
        "Myocardial infarction", ("22298006", "399211009"), ("I219", "I252"),
        (0, 0, 0, 0, 0.03, 0.15, 0.6, 1.5, 2.6, 4, 5),
        (0, 0, 0, 0, 0.01, 0.05, 0.2, 0.5, 1.1, 2.0, 3.0),
        deprivation=1.5, risks={"coronary_heart_disease": 5.0}, attendances=0.4, specialty="320", drugs=("clopidogrel",),
        treated=0.5, mortality=1.4,
    ),
    "atrial_fibrillation": Condition(
        "Atrial fibrillation", ("49436004", "282825002", "440028005"), ("I489", "I480"),
        (0, 0, 0, 0.02, 0.15, 0.36, 1, 3.1, 8.2, 15.3, 21.4),
        (0, 0, 0, 0.01, 0.061, 0.15, 0.46, 1.4, 5.1, 11.2, 17.3),
        ethnicity={_SOUTH_ASIAN: 0.6, _BLACK: 0.6}, risks={"hypertension": 1.3, "coronary_heart_disease": 1.4},
        undiagnosed=0.12, resolved_snomed="196371000000102", gp_contacts=0.8, emergency_admissions=0.08, attendances=0.6,
        specialty="320", drugs=("apixaban", "bisoprolol"), treated=0.88, measurements={"bp": 1.0, "pulse_rhythm": 0.8},
        mortality=1.3,
    ),
    "heart_failure": Condition(
        "Heart failure", ("84114007", "48447003", "703272007"), ("I500", "I509"),
        (0, 0, 0, 0, 0.036, 0.11, 0.32, 0.86, 2.2, 5, 9.4),
        (0, 0, 0, 0, 0.022, 0.058, 0.14, 0.43, 1.2, 3.6, 7.9),
        deprivation=1.5, risks={"coronary_heart_disease": 2.2, "atrial_fibrillation": 1.8}, gp_contacts=2.0,
        emergency_admissions=0.30, attendances=1.0, specialty="320",
        drugs=("furosemide", "bisoprolol", "ramipril", "spironolactone"), treated=0.93, measurements={"bp": 1.5, "egfr": 2.0},
        mortality=2.4,
    ),
    "stroke": Condition(
        "Stroke", ("230690007",), ("I639", "I64"),
        (0, 0, 0, 0.022, 0.072, 0.22, 0.58, 1.4, 3, 5.4, 7.2),
        (0, 0, 0, 0.022, 0.072, 0.18, 0.43, 1.1, 2.2, 4.5, 6.5),
        deprivation=1.5, ethnicity={_BLACK: 1.4}, risks={"hypertension": 1.4, "atrial_fibrillation": 1.6}, gp_contacts=1.0,
        emergency_admissions=0.12, attendances=0.4, specialty="328", drugs=("clopidogrel", "atorvastatin"), treated=0.9,
        measurements={"bp": 1.2}, mortality=1.7,
    ),
    "transient_ischaemic_attack": Condition(
        "Transient ischaemic attack", ("266257000",), ("G459",),
        (0, 0, 0, 0, 0.014, 0.072, 0.22, 0.58, 1.3, 2.3, 2.9),
        (0, 0, 0, 0, 0.014, 0.072, 0.22, 0.5, 1.2, 2.2, 2.9),
        risks={"hypertension": 1.3}, attendances=0.2, specialty="329", drugs=("clopidogrel",), treated=0.85, mortality=1.2,
    ),
    "peripheral_arterial_disease": Condition(
        "Peripheral arterial disease", ("399957001", "400047006"), ("I739",),
        (0, 0, 0, 0, 0.017, 0.085, 0.34, 1, 2, 2.7, 3),
        (0, 0, 0, 0, 0.0085, 0.043, 0.17, 0.42, 0.94, 1.5, 1.9),
        deprivation=2.0, risks={"diabetes_type_2": 2.0}, attendances=0.4, specialty="107",
        drugs=("clopidogrel", "atorvastatin"), mortality=1.6,
    ),
    "chronic_kidney_disease": Condition(
        "Chronic kidney disease stage 3", ("700378005", "433144002", "700379002"), ("N183",),
        (0, 0, 0, 0.034, 0.14, 0.41, 1.2, 3.1, 7.5, 17, 25.8),
        (0, 0, 0, 0.034, 0.14, 0.48, 1.5, 3.7, 8.8, 19, 27.9),
        deprivation=1.2, ethnicity={_BLACK: 1.2, _SOUTH_ASIAN: 1.15}, risks={"hypertension": 1.5, "diabetes_type_2": 1.7},
        undiagnosed=0.3, gp_contacts=0.6, emergency_admissions=0.04, attendances=0.15, specialty="361",
        measurements={"egfr": 1.8, "uacr": 0.7, "bp": 1.2}, mortality=1.3,
    ),
    "end_stage_renal_disease": Condition(
        "End-stage renal disease", ("46177005", "236435004"), ("N185", "Z992"),
        (0, 0, 0, 0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.18, 0.18),
        (0, 0, 0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.12, 0.12),
        ethnicity={_BLACK: 2.5, _SOUTH_ASIAN: 1.8}, risks={"chronic_kidney_disease": 3.0}, emergency_admissions=0.8,
        attendances=8.0, specialty="361", measurements={"egfr": 4.0, "haemoglobin": 4.0}, mortality=3.5,
    ),
    "asthma": Condition(
        "Asthma", ("195967001",), ("J459",),
        (0, 1.2, 4.7, 6.2, 6.6, 7, 7.3, 7.4, 7.6, 7.8, 7.8),
        (0, 0.78, 3.3, 5.5, 6.9, 7.8, 9, 9.8, 10.1, 10.5, 10.5),
        deprivation=1.3, resolves=0.12, resolved_snomed="162660004", gp_contacts=0.6, emergency_admissions=0.02,
        attendances=0.06, specialty="340", drugs=("salbutamol", "beclometasone"), treated=0.82, review_snomed="394700004",
    ),
    "copd": Condition(
        "Chronic obstructive pulmonary disease", ("13645005", "313299006", "135836000"), ("J449", "J440", "J441"),
        (0, 0, 0, 0, 0.044, 0.44, 1.4, 3.5, 6.6, 8.4, 7.9),
        (0, 0, 0, 0, 0.044, 0.44, 1.4, 3.3, 5.7, 6.6, 5.7),
        deprivation=3.0, ethnicity={_SOUTH_ASIAN: 0.5, _BLACK: 0.5}, resolved_snomed="941201000000103", gp_contacts=1.8,
        emergency_admissions=0.28, attendances=0.4, specialty="340",
        drugs=("salbutamol", "tiotropium", "fluticasone_salmeterol"), treated=0.93, review_snomed="394703002", mortality=2.0,
    ),
    "bronchiectasis": Condition(
        "Bronchiectasis", ("12295008",), ("J479",),
        (0, 0, 0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.2, 1.7, 1.7),
        (0, 0, 0, 0.03, 0.08, 0.15, 0.3, 0.8, 1.8, 2.2, 2.0),
        gp_contacts=1.0, emergency_admissions=0.1, attendances=0.9, specialty="340", drugs=("azithromycin",), treated=0.5,
        mortality=1.4,
    ),
    "depression": Condition(
        "Depressive disorder", ("35489007",), ("F329", "F339"),
        (0, 0, 0.11, 5.8, 10.9, 13.8, 16.1, 17.2, 17.2, 17.2, 17.2),
        (0, 0, 0.23, 11.5, 21.8, 26.4, 28.7, 29.9, 29.9, 29.9, 29.9),
        deprivation=1.8, ethnicity={_SOUTH_ASIAN: 0.65, _BLACK: 0.6, "R": 0.5}, undiagnosed=0.1, resolves=0.2, gp_contacts=1.6,
        emergency_admissions=0.01, attendances=0.03, specialty="710", drugs=("sertraline", "citalopram", "mirtazapine"),
        treated=0.6,
    ),
    "anxiety": Condition(
        "Anxiety disorder", ("197480006", "48694002"), ("F411", "F419"),
        (0, 0.1, 0.6, 4.5, 7.5, 9, 10, 10.5, 10.5, 10.5, 10.5),
        (0, 0.1, 0.9, 9, 15, 18, 19, 20, 20, 20, 20),
        deprivation=1.4, ethnicity={_SOUTH_ASIAN: 0.6, _BLACK: 0.55}, risks={"depression": 2.2}, resolves=0.2, gp_contacts=0.9,
        drugs=("propranolol", "sertraline"), treated=0.4,
    ),
    "serious_mental_illness": Condition(
        "Schizophrenia, bipolar or other psychosis", ("58214004", "13746004"), ("F209", "F319"),
        (0, 0, 0, 0.2, 0.72, 1.1, 1.3, 1.3, 1.2, 1.1, 1),
        (0, 0, 0, 0.12, 0.48, 0.76, 1, 1.1, 1.2, 1.2, 1.1),
        deprivation=2.6, ethnicity={_BLACK: 1.9, _SOUTH_ASIAN: 1.1}, gp_contacts=1.4, emergency_admissions=0.06,
        attendances=0.2, specialty="710", drugs=("olanzapine", "risperidone", "lithium"), treated=0.85,
        measurements={"bmi": 0.8, "bp": 0.8, "hba1c": 0.6, "cholesterol": 0.6}, mortality=2.2,
    ),
    "dementia": Condition(
        "Dementia", ("52448006", "26929004", "429998004"), ("F03", "G309", "F019"),
        (0, 0, 0, 0, 0, 0, 0.058, 0.23, 0.87, 4.1, 10.4),
        (0, 0, 0, 0, 0, 0, 0.058, 0.23, 0.93, 4.9, 13.9),
        deprivation=1.25, ethnicity={_BLACK: 1.2}, undiagnosed=0.3, gp_contacts=2.0, emergency_admissions=0.3, attendances=0.5,
        specialty="715", drugs=("donepezil", "memantine"), treated=0.5, mortality=2.8,
    ),
    "learning_disability": Condition(
        "Learning disability", ("110359009", "416075005", "41040004"), ("F819", "F799"),
        (0.25, 0.4, 0.6, 0.75, 0.72, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7),
        (0.15, 0.25, 0.4, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5),
        deprivation=1.6, gp_contacts=1.0, emergency_admissions=0.06, attendances=0.3, specialty="700",
        review_snomed="199751000000100", mortality=2.5,
    ),
    "autism": Condition(
        "Autism", ("408856003",), ("F840",),
        (0, 1.2, 2.8, 3.2, 3.3, 3.4, 3.4, 3.4, 3.4, 3.4, 3.4),
        (0, 0.4, 1.0, 1.8, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0),
        risks={"learning_disability": 8.0}, undiagnosed=0.4, attendances=0.1, specialty="711", gp_contacts=0.2,
    ),
    "adhd": Condition(
        "Attention deficit hyperactivity disorder", ("406506008",), ("F900",),
        (0, 0.3, 2.6, 3.8, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0),
        (0, 0.1, 0.9, 2.0, 2.4, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5),
        risks={"autism": 4.0}, undiagnosed=0.5, attendances=0.3, specialty="711", drugs=("methylphenidate",), treated=0.5,
        gp_contacts=0.3,
    ),
    "epilepsy": Condition(
        "Epilepsy", ("84757009",), ("G409",),
        (0.05, 0.2, 0.35, 0.55, 0.7, 0.8, 0.9, 1.0, 1.15, 1.3, 1.4),
        (0.05, 0.2, 0.33, 0.55, 0.7, 0.8, 0.9, 0.95, 1.0, 1.1, 1.2),
        deprivation=1.4, risks={"learning_disability": 12.0, "stroke": 2.5}, resolves=0.05, gp_contacts=0.8,
        emergency_admissions=0.12, attendances=0.7, specialty="400", drugs=("lamotrigine", "levetiracetam"), treated=0.96,
        mortality=1.7,
    ),
    "parkinsons_disease": Condition(
        "Parkinson's disease", ("49049000",), ("G20",),
        (0, 0, 0, 0, 0, 0.02, 0.08, 0.3, 0.9, 1.9, 2.4),
        (0, 0, 0, 0, 0, 0.01, 0.05, 0.2, 0.6, 1.3, 1.7),
        gp_contacts=1.2, emergency_admissions=0.22, attendances=1.2, specialty="400", drugs=("co_beneldopa",), treated=0.97,
        mortality=2.0,
    ),
    "multiple_sclerosis": Condition(
        "Multiple sclerosis", ("24700007",), ("G35",),
        (0, 0, 0, 0.017, 0.085, 0.17, 0.24, 0.27, 0.27, 0.26, 0.22),
        (0, 0, 0, 0.034, 0.2, 0.42, 0.59, 0.68, 0.68, 0.61, 0.51),
        ethnicity={_SOUTH_ASIAN: 0.5, _BLACK: 0.5}, gp_contacts=0.8, emergency_admissions=0.12, attendances=1.6,
        specialty="400", mortality=1.6,
    ),
    "cerebral_palsy": Condition(
        "Cerebral palsy", ("128188000",), ("G809",), (0.2,) * 11, (0.17,) * 11, risks={"learning_disability": 10.0},
        gp_contacts=0.5, emergency_admissions=0.1, attendances=1.0, specialty="291", mortality=2.0,
    ),
    "cancer": Condition(
        "Cancer", ("363346000", "93143009", "118600007"), ("C509", "C61", "C349", "C189"),
        (0, 0.044, 0.087, 0.22, 0.43, 0.87, 1.8, 4.8, 10.4, 15.7, 18.3),
        (0, 0.044, 0.087, 0.22, 0.61, 1.7, 3.9, 6.5, 9.6, 12.2, 13.9),
        gp_contacts=0.8, emergency_admissions=0.12, attendances=2.0, specialty="800", mortality=1.8,
    ),
    "metastatic_cancer": Condition(
        "Metastatic cancer", ("128462008", "94391008", "94222008"), ("C787", "C795", "C780"),
        (0, 0, 0, 0, 0.01, 0.02, 0.05, 0.12, 0.25, 0.35, 0.35),
        (0, 0, 0, 0, 0.01, 0.03, 0.07, 0.13, 0.22, 0.28, 0.28),
        risks={"cancer": 6.0}, gp_contacts=4.0, emergency_admissions=0.9, attendances=7.0, specialty="370",
        drugs=("morphine",), treated=0.6, mortality=14.0,
    ),
    "rheumatoid_arthritis": Condition(
        "Rheumatoid arthritis", ("69896004",), ("M069", "M0690"),
        (0, 0, 0, 0.03, 0.08, 0.2, 0.45, 0.9, 1.4, 1.6, 1.6),
        (0, 0, 0, 0.06, 0.25, 0.6, 1.1, 1.8, 2.4, 2.7, 2.7),
        gp_contacts=1.0, emergency_admissions=0.04, attendances=1.6, specialty="410",
        drugs=("methotrexate", "hydroxychloroquine"), treated=0.8, mortality=1.2,
    ),
    "osteoarthritis": Condition(
        "Osteoarthritis", ("396275006",), ("M179", "M169"),
        (0, 0, 0, 0.1, 0.8, 2.5, 7, 15, 24, 32, 36),
        (0, 0, 0, 0.1, 0.8, 3, 9, 20, 32, 41, 45),
        risks={"obesity": 1.4}, gp_contacts=0.6, attendances=0.25, specialty="110",
        drugs=("naproxen", "paracetamol", "codeine"), treated=0.5,
    ),
    "osteoporosis": Condition(
        "Osteoporosis", ("64859006",), ("M819",),
        (0, 0, 0, 0, 0.02, 0.05, 0.2, 0.6, 1.5, 3, 4.5),
        (0, 0, 0, 0, 0.05, 0.15, 1.0, 4.0, 10, 18, 24),
        ethnicity={_BLACK: 0.5}, attendances=0.1, specialty="430", drugs=("alendronic_acid",), treated=0.6,
    ),
    "gout": Condition(
        "Gout", ("90560007",), ("M109",),
        (0, 0, 0, 0.1, 0.8, 2, 3.6, 5.5, 7.5, 8.5, 8.5),
        (0, 0, 0, 0, 0.1, 0.2, 0.6, 1.3, 2.4, 3.6, 4.2),
        risks={"chronic_kidney_disease": 1.6}, drugs=("allopurinol",), treated=0.6, gp_contacts=0.4,
    ),
    "hypothyroidism": Condition(
        "Hypothyroidism", ("40930008",), ("E039",),
        (0, 0.02, 0.05, 0.2, 0.4, 0.8, 1.5, 2.2, 3.2, 4, 4.5),
        (0, 0.02, 0.1, 0.8, 2.4, 4.5, 7, 9, 11, 12.5, 13),
        drugs=("levothyroxine",), treated=0.97, gp_contacts=0.3, measurements={"tsh": 1.0},
    ),
    "chronic_liver_disease": Condition(
        "Chronic liver disease", ("328383001", "19943007", "197315008"), ("K746", "K703", "K760"),
        (0, 0, 0, 0.03, 0.15, 0.5, 1.0, 1.3, 1.3, 1.1, 0.9),
        (0, 0, 0, 0.03, 0.1, 0.3, 0.6, 0.8, 0.9, 0.8, 0.7),
        deprivation=2.5, gp_contacts=0.8, emergency_admissions=0.25, attendances=0.9, specialty="306", mortality=2.8,
    ),
    "alcohol_dependence": Condition(
        "Alcohol dependence", ("7200002",), ("F102",),
        (0, 0, 0, 0.4, 1.3, 2.1, 2.6, 2.6, 2.0, 1.2, 0.6),
        (0, 0, 0, 0.2, 0.6, 1.0, 1.2, 1.1, 0.8, 0.4, 0.2),
        deprivation=2.4, ethnicity={_SOUTH_ASIAN: 0.4}, undiagnosed=0.3, gp_contacts=0.8, emergency_admissions=0.3,
        attendances=0.2, specialty="721", mortality=2.4,
    ),
    "drug_dependence": Condition(
        "Opioid dependence", ("75544000",), ("F112",),
        (0, 0, 0, 0.25, 0.9, 1.1, 1.0, 0.5, 0.2, 0.1, 0),
        (0, 0, 0, 0.1, 0.35, 0.45, 0.4, 0.2, 0.1, 0, 0),
        deprivation=3.5, ethnicity={_SOUTH_ASIAN: 0.5}, undiagnosed=0.25, gp_contacts=1.0, emergency_admissions=0.2,
        attendances=0.1, specialty="721", drugs=("methadone",), treated=0.6, mortality=3.0,
    ),
    "sickle_cell_disease": Condition(
        "Sickle cell disease", ("127040003", "417357006"), ("D571",), (0.002,) * 11, (0.002,) * 11,
        ethnicity={"N": 200.0, "MP": 120.0, "DE": 60.0}, gp_contacts=1.0, emergency_admissions=0.9, attendances=2.5,
        specialty="303", measurements={"haemoglobin": 2.0}, mortality=3.0,
    ),
    "hiv": Condition(
        "HIV infection", ("86406008",), ("B24",),
        (0, 0, 0, 0.03, 0.2, 0.35, 0.45, 0.3, 0.15, 0.05, 0),
        (0, 0, 0, 0.02, 0.08, 0.16, 0.18, 0.1, 0.05, 0.02, 0),
        ethnicity={_BLACK: 4.0}, undiagnosed=0.05, attendances=2.0, specialty="350", mortality=1.3,
    ),
    "psoriasis": Condition(
        "Psoriasis", ("9014002",), ("L409",),
        (0, 0.1, 0.4, 1.2, 2.0, 2.5, 2.9, 3.2, 3.3, 3.2, 3.0),
        (0, 0.1, 0.5, 1.4, 2.0, 2.4, 2.7, 2.9, 3.0, 2.9, 2.7),
        ethnicity={_BLACK: 0.5}, attendances=0.2, specialty="330", gp_contacts=0.3,
    ),
    "inflammatory_bowel_disease": Condition(
        "Inflammatory bowel disease", ("24526004",), ("K519", "K509"),
        (0, 0, 0.02, 0.2, 0.5, 0.75, 0.9, 1.0, 1.1, 1.1, 1.0),
        (0, 0, 0.02, 0.2, 0.5, 0.7, 0.85, 0.95, 1.0, 1.0, 0.9),
        attendances=1.4, specialty="301", emergency_admissions=0.08, drugs=("mesalazine",), treated=0.7, gp_contacts=0.4,
    ),
    "migraine": Condition(
        "Migraine", ("37796009",), ("G439",),
        (0, 0.1, 0.8, 2.5, 4.0, 5.0, 5.5, 5.8, 5.8, 5.8, 5.8),
        (0, 0.1, 1.0, 5.5, 10, 13, 15, 16, 16, 16, 16),
        gp_contacts=0.2, drugs=("sumatriptan",), treated=0.4, attendances=0.03, specialty="400",
    ),
    "moderate_or_severe_frailty": Condition(
        "Moderate or severe frailty", ("925831000000107", "925861000000102"), ("R54",),
        (0, 0, 0, 0, 0, 0, 0, 0.5, 3.5, 15, 38),
        (0, 0, 0, 0, 0, 0, 0, 0.7, 5, 20, 46),
        deprivation=1.7, risks={"dementia": 2.0, "heart_failure": 1.8, "copd": 1.5}, undiagnosed=0.2, gp_contacts=2.5,
        emergency_admissions=0.35, attendances=0.5, specialty="430", mortality=2.0,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Drug:
    """A medicine: fictional product code, BNF code prefix, term, quantity of one issue and the days it lasts."""

    code: str
    bnf: str
    term: str
    quantity: float
    unit: str
    course_days: int
    is_repeat: bool = True


_DRUG_ROWS = (
    ("ramipril", "0205051R0", "Ramipril 5mg capsules", 56, "capsule", 56), ("losartan", "0205052N0", "Losartan 50mg tablets",
    56, "tablet", 56),
    ("amlodipine", "0206020A0", "Amlodipine 5mg tablets", 56, "tablet", 56),
    ("indapamide", "0202010P0", "Indapamide 2.5mg tablets", 56, "tablet", 56),
    ("bisoprolol", "0204000H0", "Bisoprolol 2.5mg tablets", 56, "tablet", 56),
    ("propranolol", "0204000R0", "Propranolol 40mg tablets", 56, "tablet", 28),
    ("furosemide", "0202020L0", "Furosemide 40mg tablets", 28, "tablet", 28),
    ("spironolactone", "0202030S0", "Spironolactone 25mg tablets", 28, "tablet", 28),
    ("digoxin", "0201010F0", "Digoxin 125microgram tablets", 28, "tablet", 28),
    ("atorvastatin", "0212000B0", "Atorvastatin 20mg tablets", 56, "tablet", 56),
    ("aspirin", "0209000A0", "Aspirin 75mg dispersible tablets", 56, "tablet", 56),
    ("clopidogrel", "0209000C0", "Clopidogrel 75mg tablets", 56, "tablet", 56),
    ("apixaban", "0208020Z0", "Apixaban 5mg tablets", 56, "tablet", 28),
    ("warfarin", "0208020V0", "Warfarin 1mg tablets", 84, "tablet", 28),
    ("metformin", "0601022B0", "Metformin 500mg tablets", 112, "tablet", 56),
    ("gliclazide", "0601021M0", "Gliclazide 80mg tablets", 56, "tablet", 56),
    ("empagliflozin", "0601023AN", "Empagliflozin 10mg tablets", 56, "tablet", 56),
    ("insulin_glargine", "0601012V0", "Insulin glargine 100units/ml pens", 5, "pen", 42),
    ("insulin_aspart", "0601011A0", "Insulin aspart 100units/ml pens", 5, "pen", 42),
    ("salbutamol", "0301011R0", "Salbutamol 100micrograms/dose inhaler", 1, "inhaler", 60),
    ("beclometasone", "0302000C0", "Beclometasone 100micrograms/dose inhaler", 1, "inhaler", 60),
    ("fluticasone_salmeterol", "0302000N0", "Fluticasone with salmeterol inhaler", 1, "inhaler", 30),
    ("tiotropium", "0301020Q0", "Tiotropium 18microgram inhalation capsules", 30, "capsule", 30),
    ("sertraline", "0403030Q0", "Sertraline 50mg tablets", 28, "tablet", 28),
    ("citalopram", "0403030D0", "Citalopram 20mg tablets", 28, "tablet", 28),
    ("mirtazapine", "0403040X0", "Mirtazapine 15mg tablets", 28, "tablet", 28),
    ("olanzapine", "0402010AB", "Olanzapine 10mg tablets", 28, "tablet", 28),
    ("risperidone", "0402020AH", "Risperidone 50mg depot injection", 2, "vial", 28),
    ("lithium", "0402030K0", "Lithium carbonate 400mg tablets", 56, "tablet", 28),
    ("donepezil", "0411000D0", "Donepezil 10mg tablets", 28, "tablet", 28),
    ("memantine", "0411000G0", "Memantine 10mg tablets", 28, "tablet", 28),
    ("methylphenidate", "0404000M0", "Methylphenidate 18mg tablets", 30, "tablet", 30),
    ("lamotrigine", "0408010H0", "Lamotrigine 100mg tablets", 56, "tablet", 28),
    ("levetiracetam", "0408010A0", "Levetiracetam 500mg tablets", 60, "tablet", 30),
    ("co_beneldopa", "0409010K0", "Co-beneldopa 25mg/100mg capsules", 84, "capsule", 28),
    ("morphine", "0407020Q0", "Morphine sulfate 10mg/5ml oral solution", 300, "ml", 14),
    ("methadone", "0410030C0", "Methadone 1mg/ml oral solution", 560, "ml", 14),
    ("codeine", "0407020C0", "Codeine 30mg tablets", 56, "tablet", 28),
    ("paracetamol", "0407010H0", "Paracetamol 500mg tablets", 100, "tablet", 28),
    ("naproxen", "1001010P0", "Naproxen 500mg tablets", 56, "tablet", 28),
    ("methotrexate", "1001030U0", "Methotrexate 2.5mg tablets", 24, "tablet", 28),
    ("hydroxychloroquine", "1001030C0", "Hydroxychloroquine 200mg tablets", 60, "tablet", 30),
    ("alendronic_acid", "0606020A0", "Alendronic acid 70mg tablets", 4, "tablet", 28),
    ("allopurinol", "1001040C0", "Allopurinol 100mg tablets", 28, "tablet", 28),
    ("levothyroxine", "0602010V0", "Levothyroxine 50microgram tablets", 56, "tablet", 56),
    ("mesalazine", "0105010B0", "Mesalazine 800mg tablets", 84, "tablet", 28),
    ("sumatriptan", "0407041T0", "Sumatriptan 50mg tablets", 6, "tablet", 30),
    ("omeprazole", "0103050P0", "Omeprazole 20mg capsules", 28, "capsule", 28),
    ("azithromycin", "0501050A0", "Azithromycin 250mg tablets", 12, "tablet", 28),
    ("contraceptive", "0703010F0", "Combined oral contraceptive tablets", 126, "tablet", 126),
    ("folic_acid", "0901020G0", "Folic acid 400microgram tablets", 90, "tablet", 90),
)  # fmt: skip
_ACUTE_DRUG_ROWS = (
    ("amoxicillin", "0501013B0", "Amoxicillin 500mg capsules", 15, "capsule", 5),
    ("doxycycline", "0501030I0", "Doxycycline 100mg capsules", 8, "capsule", 7),
    ("flucloxacillin", "0501012G0", "Flucloxacillin 500mg capsules", 28, "capsule", 7),
    ("nitrofurantoin", "0501130R0", "Nitrofurantoin 100mg capsules", 6, "capsule", 3),
    ("prednisolone", "0603020T0", "Prednisolone 5mg tablets", 30, "tablet", 5),
    ("ibuprofen", "1001010J0", "Ibuprofen 400mg tablets", 24, "tablet", 8),
    ("cetirizine", "0304010I0", "Cetirizine 10mg tablets", 30, "tablet", 30),
    ("emollient", "1302010U0", "Emollient cream", 500, "gram", 30),
    ("hydrocortisone", "1304000V0", "Hydrocortisone 1% cream", 30, "gram", 14),
)  # fmt: skip

#: key -> Drug. Codes are stable: 999000 + position.
DRUGS: dict[str, Drug] = {
    row[0]: Drug(f"99900{1_000_000 + i * 17:07d}", row[1], row[2], row[3], row[4], row[5], is_repeat)
    for i, (row, is_repeat) in enumerate([(row, True) for row in _DRUG_ROWS] + [(row, False) for row in _ACUTE_DRUG_ROWS])
}
#: Short courses that any consultation may bring.
ACUTE_DRUGS = tuple(row[0] for row in _ACUTE_DRUG_ROWS)


@dataclass(frozen=True)
class Measurement:
    """A numeric result: its SNOMED CT concept (and that of the second value), term, unit as GP systems print it, decimals."""

    snomed: str
    term: str
    unit: str
    decimals: int = 0
    second_snomed: str | None = None
    second_term: str | None = None
    parent_snomed: str | None = None  # the heading above a pair
    parent_term: str | None = None


MEASUREMENTS: dict[str, Measurement] = {
    "bp": Measurement(
        "271649006", "Systolic arterial pressure", "mmHg", 0, "271650006", "Diastolic arterial pressure", "75367002",
        "Blood pressure"
    ),
    "home_bp": Measurement(
        "413606001", "Average home systolic blood pressure", "mmHg", 0, "413605002", "Average home diastolic blood pressure",
        "413153004", "Blood pressure recorded by patient at home",
    ),
    "hba1c": Measurement("999791000000106", "Haemoglobin A1c level - IFCC standardised", "mmol/mol"),
    "egfr": Measurement("1011481000000105", "eGFR using creatinine CKD-EPI formula", "mL/min/1.73m2"),
    "creatinine": Measurement("1000731000000107", "Serum creatinine level", "umol/L"),
    "bmi": Measurement("60621009", "Body mass index", "kg/m2", 1),
    "cholesterol": Measurement("1005671000000105", "Serum cholesterol level", "mmol/L", 1),
    "hdl": Measurement("1005681000000107", "Serum high density lipoprotein cholesterol level", "mmol/L", 1),
    "uacr": Measurement("1023491000000104", "Urine albumin:creatinine ratio", "mg/mmol", 1),
    "haemoglobin": Measurement("1022431000000105", "Haemoglobin estimation", "g/L"),
    "qrisk": Measurement("1085871000000105", "QRISK3 cardiovascular disease 10 year risk score", "%", 1),
    "tsh": Measurement("1022791000000101", "Serum TSH (thyroid stimulating hormone) level", "mU/L", 2),
    "pulse_rhythm": Measurement("78564009", "Pulse rate", "beats/min"),
}  # fmt: skip

#: Statuses and processes in the GP record: key -> (SNOMED CT concept, term).
STATUS_CODES: dict[str, tuple[str, str]] = {
    "smoker": ("77176002", "Smoker"),
    "ex_smoker": ("8517006", "Ex-smoker"),
    "never_smoked": ("266919005", "Never smoked tobacco"),
    "mild_frailty": ("925791000000100", "Mild frailty"),
    "moderate_frailty": ("925831000000107", "Moderate frailty"),
    "severe_frailty": ("925861000000102", "Severe frailty"),
    "pregnant": ("77386006", "Patient currently pregnant"),
    "delivered": ("289256000", "Mother delivered"),
    "housebound": ("160689007", "Housebound"),
    "lives_alone": ("105529008", "Lives alone"),
    "lives_in_nursing_home": ("160734000", "Lives in nursing home"),
    "homeless": ("32911000", "Homeless"),
    "irregular_pulse": ("361137007", "Irregular heart beat"),
    "carer": ("224484003", "Patient themselves providing care"),
    "palliative_care": ("103735009", "Palliative care"),
    "gestational_diabetes": ("11687002", "Gestational diabetes mellitus"),
    "fall": ("217082002", "Accidental fall"),
    "acute_kidney_injury": ("14669001", "Acute renal failure"),
    "influenza_vaccination": ("822851000000102", "Seasonal influenza vaccination"),
    "medication_review": ("182836005", "Review of medication"),
    "type1_dissent": ("827241000000103", "Dissent from secondary use of GP patient identifiable data"),
    "type1_withdrawal": ("827261000000102", "Dissent withdrawn for secondary use of GP patient identifiable data"),
    "asylum_seeker": ("390790000", "Asylum seeker"),
    "social_prescribing_offered": ("871691000000100", "Social prescribing offered"),
    "social_prescribing_referred": ("871731000000106", "Referral to social prescribing service"),
    "hypertension_review": ("401118009", "Hypertension annual review"),
    "diabetes_review": ("170777000", "Diabetic annual review"),
    "asthma_review": ("394700004", "Asthma annual review"),
    "copd_review": ("394703002", "Chronic obstructive pulmonary disease annual review"),
    "learning_disability_review": ("199751000000100", "Learning disability annual health check"),
}

#: Everyday reasons for encounter, none of them a register: SNOMED CT concept -> term.
SYMPTOM_CODES: dict[str, str] = {
    "54150009": "Upper respiratory infection",
    "49727002": "Cough",
    "25064002": "Headache",
    "279039007": "Low back pain",
    "21522001": "Abdominal pain",
    "68566005": "Urinary tract infectious disease",
    "271807003": "Eruption of skin",
    "84229001": "Fatigue",
    "57676002": "Joint pain",
    "162397003": "Pain in throat",
    "422587007": "Nausea",
    "404640003": "Dizziness",
    "267036007": "Dyspnoea",
    "29857009": "Chest pain",
    "193462001": "Insomnia",
    "16331000": "Heartburn",
    "3110003": "Acute otitis media",
    "128045006": "Cellulitis",
}

#: SNOMED CT concept recorded for an ethnic category.
ETHNICITY_SNOMED: dict[str, str] = {
    "A": "92391000000108", "B": "92401000000106", "C": "92411000000108", "D": "92421000000102", "E": "92431000000100",
    "F": "92441000000109", "G": "92451000000107", "H": "110751000000108", "J": "92461000000105", "K": "92471000000103",
    "L": "92481000000101", "M": "107691000000105", "N": "92491000000104", "P": "92501000000105", "R": "92511000000107",
    "S": "92521000000101", "Z": "92531000000104",
}  # fmt: skip
ETHNICITY_TERMS: dict[str, str] = {
    "A": "British or mixed British - ethnic category 2001 census", "B": "Irish - ethnic category 2001 census",
    "C": "Other White background - ethnic category 2001 census",
    "D": "White and Black Caribbean - ethnic category 2001 census",
    "E": "White and Black African - ethnic category 2001 census",
    "F": "White and Asian - ethnic category 2001 census", "G": "Other Mixed background - ethnic category 2001 census",
    "H": "Indian or British Indian - ethnic category 2001 census",
    "J": "Pakistani or British Pakistani - ethnic category 2001 census",
    "K": "Bangladeshi or British Bangladeshi - ethnic category 2001 census",
    "L": "Other Asian background - ethnic category 2001 census",
    "M": "Caribbean - ethnic category 2001 census", "N": "African - ethnic category 2001 census",
    "P": "Other Black background - ethnic category 2001 census", "R": "Chinese - ethnic category 2001 census",
    "S": "Other - ethnic category 2001 census", "Z": "Ethnic category not stated - 2001 census",
}  # fmt: skip


def _snomed_terms() -> dict[str, str]:
    terms = {code: condition.term for condition in CONDITIONS.values() for code in condition.snomed}
    terms |= {c.resolved_snomed: f"{c.term} resolved" for c in CONDITIONS.values() if c.resolved_snomed}
    terms |= dict(STATUS_CODES.values()) | SYMPTOM_CODES
    terms |= {code: ETHNICITY_TERMS[category] for category, code in ETHNICITY_SNOMED.items()}
    for m in MEASUREMENTS.values():
        pairs = ((m.snomed, m.term), (m.second_snomed, m.second_term), (m.parent_snomed, m.parent_term))
        terms |= {code: term for code, term in pairs if code and term}
    return terms


#: Every SNOMED CT concept the GP frames can hold -> term. The code dictionaries of the GP suppliers are made from it.
SNOMED_TERMS: dict[str, str] = _snomed_terms()

#: Community team types (`community_referrals.team_type_code`): code -> (name, reason for referral, mean contacts of a referral).
COMMUNITY_TEAMS: dict[str, tuple[str, str, int]] = {
    "12": ("District Nursing Service", "wound or injection care", 18),
    "16": ("Health Visiting Service", "new birth", 4),
    "18": ("Intermediate Care Service", "hospital discharge support", 9),
    "27": ("Physiotherapy Service", "musculoskeletal", 4),
    "28": ("Podiatry Service", "foot protection", 5),
    "32": ("Speech and Language Therapy Service", "speech delay", 5),
    "39": ("Community Rehabilitation Service", "falls", 6),
    "51": ("Urgent Community Response Service", "urgent deterioration", 3),
    "52": ("Proactive Care Team", "frailty", 8),
}
#: The team of the planted intervention.
INTERVENTION_TEAM = "52"

#: Mental health team types (`mental_health_referrals.team_type_code`): code -> (name, mean contacts of a referral).
MENTAL_HEALTH_TEAMS: dict[str, tuple[str, int]] = {
    "A02": ("Crisis Resolution Team/Home Treatment Service", 8),
    "A05": ("Primary Care Mental Health Service", 5),
    "A06": ("Community Mental Health Team - Functional", 14),
    "A14": ("Early Intervention Team for Psychosis", 20),
    "A16": ("Memory Services/Clinic", 3),
    "C02": ("Perinatal Mental Health Service", 7),
    "F02": ("Children and Young People's Mental Health Service", 8),
    "E01": ("Community Team for Learning Disabilities", 6),
}

#: Emergency department presentations: (chief complaint SNOMED CT, diagnosis SNOMED CT, weight, share admitted).
ED_PRESENTATIONS: tuple[tuple[str, str, float, float], ...] = (
    ("29857009", "394659003", 8, 0.45),  # chest pain, acute coronary syndrome
    ("267036007", "233604007", 8, 0.5),  # shortness of breath, pneumonia
    ("21522001", "21522001", 9, 0.25),  # abdominal pain
    ("161898004", "125605004", 7, 0.3),  # fall, fracture
    ("282026002", "44465007", 12, 0.03),  # ankle injury, sprain
    ("25064002", "37796009", 5, 0.12),  # headache, migraine
    ("386661006", "54150009", 8, 0.12),  # fever, upper respiratory infection
    ("312608009", "312608009", 8, 0.02),  # laceration
    ("366979004", "35489007", 3, 0.2),  # depressed mood, depression
    ("68566005", "68566005", 4, 0.2),  # urinary tract infection
    ("91175000", "84757009", 2, 0.4),  # seizure, epilepsy
    ("25702006", "25702006", 3, 0.15),  # alcohol intoxication
)
#: Emergency care acuity, from immediate to low.
ED_ACUITY = ("1064891000000107", "1064911000000105", "1064901000000108", "1077241000000103", "1077251000000100")

#: Reasons for admission besides those of the conditions: (ICD-10, treatment function, HRG root, mean days).
EMERGENCY_REASONS: tuple[tuple[str, str, str, float], ...] = (
    ("J189", "300", "DZ11K", 5), ("N390", "300", "LA04S", 4), ("R074", "320", "EB12C", 1), ("A419", "300", "WJ06E", 7),
    ("S7200", "110", "HE11F", 12), ("R55X", "300", "EB08E", 1), ("K359", "100", "FD05B", 2), ("W190", "430", "WH09G", 6),
    ("R104", "100", "FD05B", 1), ("L031", "300", "JD07H", 3), ("J22X", "300", "DZ22Q", 3), ("T391", "300", "WH04E", 1),
)  # fmt: skip
ELECTIVE_REASONS: tuple[tuple[str, str, str, str, bool], ...] = (
    # ICD-10, OPCS-4, treatment function, HRG, usually a day case
    ("H259", "C712", "130", "BZ34C", True), ("K409", "T202", "100", "FF62D", True), ("M179", "W401", "110", "HN22E", False),
    ("M169", "W371", "110", "HN12F", False), ("K219", "G459", "301", "FE21Z", True), ("D125", "H221", "301", "FE32Z", True),
    ("N40X", "M653", "101", "LB25F", False), ("C509", "B276", "103", "JA43B", False), ("Z511", "X352", "800", "SB97Z", True),
    ("N810", "P231", "502", "MA04D", False), ("I251", "K401", "172", "ED28C", False), ("H669", "D151", "120", "CA61B", True),
)  # fmt: skip
DIALYSIS = ("N185", "X403", "361", "LD05A")

#: Kinds of statutory homelessness words, tenancy types and support needs: the wording of our own H-CLIC-like design.
TENANCY_TYPES = ("secure", "assured", "introductory", "flexible")
REASONS_FOR_LOSS = (
    "end of assured shorthold tenancy - landlord selling or re-letting", "end of assured shorthold tenancy - rent arrears",
    "family or friends no longer willing or able to accommodate", "domestic abuse", "non-violent relationship breakdown",
    "other violence or harassment", "end of social rented tenancy", "eviction from supported housing", "left institution",
    "left asylum accommodation", "fire or flood", "mortgage repossession",
)  # fmt: skip
SUPPORT_NEEDS = (
    "history of mental health problems", "physical ill health and disability", "learning disability",
    "at risk of or has experienced domestic abuse", "drug dependency needs", "alcohol dependency needs", "offending history",
    "history of repeat homelessness", "history of rough sleeping", "care leaver aged 21+", "asylum support",
    "difficulties budgeting", "old age",
)  # fmt: skip
ACCOMMODATION_AT_APPLICATION = (
    "private rented", "social rented", "living with family", "living with friends", "no fixed abode", "rough sleeping",
    "temporary accommodation", "custody", "general hospital", "NASS",
)  # fmt: skip
DUTY_OUTCOMES = ("secured accommodation for 6+ months", "homeless", "contact lost", "56 days elapsed", "withdrew", "refused")
TEMPORARY_ACCOMMODATION_TYPES = ("bed and breakfast", "nightly paid", "hostel", "refuge", "private leased", "LA/HA stock")

#: Adult social care packages: (service type, component, delivery, unit cost, frequency, units a week).
CARE_PACKAGES: tuple[tuple[str, str, str, float, str, float], ...] = (
    ("Long Term Support: Community", "Home Support", "CASSR Managed Personal Budget", 22.5, "Per hour", 10.0),
    ("Long Term Support: Community", "Direct Payment", "Direct Payment", 230.0, "Per week", 1.0),
    ("Long Term Support: Community", "Day Support", "CASSR Commissioned support", 65.0, "Per day", 2.0),
    ("Long Term Support: Residential Care", "Residential Care", "CASSR Commissioned support", 930.0, "Per week", 1.0),
    ("Long Term Support: Nursing Care", "Nursing Care", "CASSR Commissioned support", 1080.0, "Per week", 1.0),
    ("Short Term Support: ST-Max", "Reablement", "CASSR Commissioned support", 310.0, "Per week", 1.0),
)
