"""`phm registers evaluate`: registers and case finding against a truth that somebody gives. No step of a night reads one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from linkage.evaluate import truth_by_token
from orchestration.dbt import DbtError
from orchestration.evaluation import evaluation_scratch
from orchestration.settings import Settings, SettingsError

#: Conditions of a truth that registers hold under other names, or together; any other has the name of its register.
_REGISTERS_OF = {
    "alcohol_dependence": ["alcohol_misuse"],
    "diabetes_type_1": ["diabetes"],
    "diabetes_type_2": ["diabetes"],
    "drug_dependence": ["substance_misuse"],
    "end_stage_renal_disease": ["end_stage_renal_failure", "chronic_kidney_disease"],
    "metastatic_cancer": ["metastatic_cancer", "cancer"],
    "myocardial_infarction": ["coronary_heart_disease"],
    "stroke": ["stroke_tia"],
    "transient_ischaemic_attack": ["stroke_tia"],
}


@dataclass(frozen=True)
class Agreement:
    """How far what was found agrees with what is true, in people."""

    n_sought: int
    n_sought_found: int
    n_found: int
    n_found_affected: int

    @property
    def recall(self) -> float | None:
        """Of the people sought, the share found; None when nobody was to be found."""
        return self.n_sought_found / self.n_sought if self.n_sought else None

    @property
    def precision(self) -> float | None:
        """Of the people found, the share that has the condition; None when nobody was found."""
        return self.n_found_affected / self.n_found if self.n_found else None


@dataclass(frozen=True)
class ConditionAgreement:
    """A condition: its register sought those whom a GP has coded, case finding those who have it and whom none has."""

    condition: str
    register: Agreement
    #: None when no rule looks for the undiagnosed.
    case_finding: Agreement | None


def evaluate_registers(settings: Settings, truth_dir: Path, as_of: date) -> list[ConditionAgreement]:
    """Judge registers and case finding of the last built warehouse, over the living registered, by the truth in `truth_dir`.

    The truth is `records.parquet` (source, local_id, person_no) and `conditions.parquet` (person_no, condition, onset_date,
    coded_on, resolved_on), as `phm synth` writes them. Whoever holds most of a person's records is that person. Raises `DbtError`
    when there is no warehouse, `SettingsError` or `LinkageError` when the truth is not whole.
    """
    local_ids = settings.local_ids_files()
    conditions = truth_dir / "conditions.parquet"
    if not settings.build_database.exists() or not local_ids:
        raise DbtError("there is no warehouse to judge: run `phm run` first")
    if not conditions.exists():
        raise SettingsError(
            f"there is no {conditions}: a truth is records.parquet and conditions.parquet, as `phm synth` writes them"
        )
    with evaluation_scratch(settings) as scratch:
        by_token = scratch / "truth.parquet"
        truth_by_token(truth_dir / "records.parquet", local_ids, by_token)
        return _judge(settings.build_database, by_token, conditions, as_of)


def _judge(warehouse: Path, by_token: Path, conditions: Path, as_of: date) -> list[ConditionAgreement]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        rows = connection.execute(
            """
            with who as (
                select person_id, arg_max(person_no, (n, person_no)) as person_no
                from (
                    select person_record.person_id, judged.person_no, count(*) as n
                    from core.person_record as person_record
                    inner join core.person as person on person_record.person_id = person.person_id and person.is_registered
                    inner join read_parquet($1) as judged on person_record.record_token = judged.record_token
                    group by all
                )
                group by person_id
            ),

            -- coded is not enough to be sought once it has resolved
            true_of as (
                select
                    person_id,
                    condition_code,
                    bool_or(is_affected) as is_affected,
                    bool_or(is_affected and is_coded) as is_coded,
                    bool_and(not is_coded) as is_missed
                from (
                    select
                        who.person_id,
                        unnest(coalesce(map_extract_value($4::map(varchar, varchar[]), truth.condition), [truth.condition]))
                            as condition_code,
                        truth.resolved_on is null or truth.resolved_on > $3 as is_affected,
                        coalesce(truth.coded_on <= $3, false) as is_coded
                    from read_parquet($2) as truth
                    inner join who on truth.person_no = who.person_no
                    where truth.onset_date <= $3
                )
                group by all
            ),

            found_of as (
                select
                    person_id,
                    condition_code,
                    bool_or(is_registered) as is_registered,
                    bool_or(not is_registered) as is_probable
                from (
                    select person_id, condition_code, true as is_registered from registers.person_condition where is_active
                    union all
                    select person_id, condition_code, false from care_gaps.person_care_gap where is_probable_diagnosis
                )
                where person_id in (select person_id from who)
                group by all
            )

            select
                condition_code,
                count(*) filter (is_coded),
                count(*) filter (is_coded and is_registered),
                count(*) filter (is_registered),
                count(*) filter (is_registered and is_affected),
                count(*) filter (is_affected and is_missed),
                count(*) filter (is_affected and is_missed and is_probable),
                count(*) filter (is_probable),
                count(*) filter (is_probable and is_affected),
                condition_code in (select condition_code from care_gaps.care_gap where is_probable_diagnosis) as is_looked_for
            from true_of
            full outer join found_of using (person_id, condition_code)
            where condition_code in (select condition_code from true_of)
                and condition_code in (select code from registers.condition)
            group by condition_code
            order by count(*) filter (is_coded) desc, condition_code
            """,
            [str(by_token), str(conditions), as_of, _REGISTERS_OF],
        ).fetchall()
    return [
        ConditionAgreement(condition, Agreement(*counts[:4]), Agreement(*counts[4:]) if is_looked_for else None)
        for condition, *counts, is_looked_for in rows
    ]


def print_agreement(found: list[ConditionAgreement], console: Console) -> None:
    """A line a condition: people coded, recall and precision of the register; people missed by GPs, the same of case finding."""
    table = Table(box=None, pad_edge=False)
    table.add_column("condition", no_wrap=True)
    for heading in ("coded", "recall", "precision", "missed", "recall", "precision"):
        table.add_column(heading, justify="right")
    for line in found:
        table.add_row(line.condition, *_cells(line.register), *_cells(line.case_finding))
    console.print(table, highlight=False)


def _cells(agreement: Agreement | None) -> tuple[str, str, str]:
    if agreement is None:
        return ("", "", "")
    shares = (f"{share:.3f}" if share is not None else "-" for share in (agreement.recall, agreement.precision))
    return (f"{agreement.n_sought:,}", *shares)
