"""The linkage model: what is compared, at which levels, and the trained numbers that weigh them.

The structure is Python and the numbers are JSON. Splink's own saved model embeds the SQL of one database, so only m, u and
frequencies are kept; they can be read, reviewed and carried to another engine. Comparisons are built fresh for every linker,
because Splink keeps state in them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from splink import SettingsCreator
from splink.comparison_level_library import CustomLevel, ElseLevel
from splink.comparison_library import CustomComparison

from linkage.errors import ParametersError

#: A prior outside this range means that it was not estimated (0) or was estimated on duplicates only.
PRIOR_RANGE = (1e-9, 1e-2)

#: Fewer groups than this are weighed as if there were this many: a tiny index says little about chance agreement.
SMALLEST_POPULATION = 1024


@dataclass(frozen=True)
class Level:
    """One level of a comparison. `frequency` names a column of relative frequencies that replaces u where the values agree."""

    key: str
    sql: str
    frequency: str | None = None
    #: u set by judgement, not by sampling: chance agreement of an identifier is too rare for a sample to see.
    fixed_u: float | None = None
    #: Smallest m training may give. What a training set happens not to show is rare, not impossible: people move, change their
    #: names and are entered wrongly, and a model that never saw it would call it proof of two people.
    least_m: float = 1e-3


def _number_levels() -> tuple[Level, ...]:
    # The number is one strong vote, not proof: about one exact pair in a million is two people using one number. A number
    # mistyped in one digit fails its check digit, so near numbers are looked for among those that failed.
    near = """(
        damerau_levenshtein(coalesce(typed_number_l, nhs_number_l), coalesce(typed_number_r, nhs_number_r)) <= 1
        and (typed_number_l is not null or typed_number_r is not null)
    )"""
    return (
        Level("exact", "nhs_number_l = nhs_number_r", fixed_u=1e-6),
        Level("near", near, fixed_u=2e-6),
        Level("null", "nhs_number_l is null or nhs_number_r is null"),
        Level("different", "else"),
    )


def _alike(name: str, threshold: float) -> str:
    return f"jaro_winkler_similarity({name}_l, {name}_r) >= {threshold}"


def _one_slip(name: str) -> str:
    """One slip of the finger in a short name (Mia, Mua) leaves little that Jaro-Winkler can see."""
    return f"(damerau_levenshtein({name}_l, {name}_r) <= 1 and least(length({name}_l), length({name}_r)) >= 3)"


#: By words, because a double-barrelled family name in the field for given names is cut into given names.
_SWAPPED = "(list_has_any(given_tokens_l, family_tokens_r) and list_has_any(family_tokens_l, given_tokens_r))"


def _given_levels() -> tuple[Level, ...]:
    return (
        Level("null", "given_name_l is null or given_name_r is null"),
        Level("exact", "given_name_l = given_name_r", frequency="given_name"),
        Level("swapped", _SWAPPED, fixed_u=1e-5),
        Level("alias", "list_has_any(given_classes_l, given_classes_r)"),
        Level("alike", _alike("given_name", 0.92)),
        Level("token", "list_has_any(given_tokens_l, given_tokens_r)"),
        Level(
            "initial",
            "least(length(given_name_l), length(given_name_r)) = 1 and left(given_name_l, 1) = left(given_name_r, 1)",
        ),
        Level("similar", f"({_alike('given_name', 0.8)} or {_one_slip('given_name')})"),
        Level("different", "else"),
    )


def _family_levels() -> tuple[Level, ...]:
    return (
        Level("null", "family_name_l is null or family_name_r is null"),
        Level("exact", "family_name_l = family_name_r", frequency="family_name"),
        Level("swapped", _SWAPPED, fixed_u=1e-5),
        Level("token", "list_has_any(family_tokens_l, family_tokens_r)", least_m=5e-3),
        Level("alike", _alike("family_name", 0.92)),
        Level("similar", f"({_alike('family_name', 0.84)} or {_one_slip('family_name')})"),
        Level("different", "else"),
    )


_SAME_YEAR = "substr(birth_text_l, 1, 4) = substr(birth_text_r, 1, 4)"


def _birth_levels() -> tuple[Level, ...]:
    # 1 January is what is written when only the year is known, so agreement on it is weaker
    return (
        Level("null", "birth_text_l is null or birth_text_r is null"),
        Level("exact_new_year", "birth_text_l = birth_text_r and substr(birth_text_l, 5, 4) = '0101'"),
        Level("exact", "birth_text_l = birth_text_r"),
        Level("day_month_swapped", "birth_key_l = birth_key_r"),
        Level("one_digit", "damerau_levenshtein(birth_text_l, birth_text_r) <= 1"),
        Level(
            "year_and_one_part",
            f"{_SAME_YEAR} and (substr(birth_text_l, 5, 2) = substr(birth_text_r, 5, 2)"
            " or substr(birth_text_l, 7, 2) = substr(birth_text_r, 7, 2))",
        ),
        # 1 January of the right year: somebody knew the age only
        Level("year_only", f"{_SAME_YEAR} and (substr(birth_text_l, 5, 4) = '0101' or substr(birth_text_r, 5, 4) = '0101')"),
        Level("day_and_month", "substr(birth_text_l, 5, 4) = substr(birth_text_r, 5, 4)"),
        Level("year", _SAME_YEAR),
        Level("different", "else"),
    )


def _place_levels() -> tuple[Level, ...]:
    # One comparison for all that says where somebody lives: UPRN and postcode are not independent evidence. The postcode comes
    # first because most sources know it and its crowd is counted; the UPRN speaks when a postcode is mistyped or missing.
    return (
        Level("null", "(uprn_l is null or uprn_r is null) and (len(postcodes_l) = 0 or len(postcodes_r) = 0)"),
        Level("postcode", "postcode_l = postcode_r", frequency="postcode"),
        Level("property", "uprn_l = uprn_r", fixed_u=1e-4),
        Level("postcode_once", "list_has_any(postcodes_l, postcodes_r)"),
        Level("postcode_one_character", "levenshtein(postcode_l, postcode_r) <= 1"),
        Level("sector", "list_has_any(postcode_sectors_l, postcode_sectors_r)", least_m=5e-3),
        Level("outcode", "split_part(postcode_l, ' ', 1) = split_part(postcode_r, ' ', 1)", least_m=5e-3),
        # about one person in ten moves in a year
        Level("different", "else", least_m=3e-2),
    )


def _contact_levels() -> tuple[Level, ...]:
    # households share telephones, so u is held well above what random pairs of strangers would show
    return (
        Level(
            "null",
            "(len(phones_l) = 0 or len(phones_r) = 0) and (len(emails_l) = 0 or len(emails_r) = 0)",
        ),
        Level("email", "list_has_any(emails_l, emails_r)", fixed_u=1e-4),
        Level("phone", "list_has_any(phones_l, phones_r)", fixed_u=2e-4),
        # people change their numbers, and one source has the landline where another has the mobile
        Level("different", "else", least_m=5e-2),
    )


def _sex_levels() -> tuple[Level, ...]:
    return (
        Level("null", "sex_l is null or sex_r is null"),
        Level("same", "sex_l = sex_r"),
        Level("different", "else"),
    )


def levels() -> dict[str, tuple[Level, ...]]:
    """Every comparison with its levels, most specific first, `null` wherever nothing can be said."""
    return {
        "nhs_number": _number_levels(),
        "given_name": _given_levels(),
        "family_name": _family_levels(),
        "birth_date": _birth_levels(),
        "place": _place_levels(),
        "contact": _contact_levels(),
        "sex": _sex_levels(),
    }


def level_number(comparison: str, key: str) -> int:
    """The value of Splink's `gamma_<comparison>` for a level: -1 for null, then counting up from the last level."""
    ordered = [level.key for level in levels()[comparison] if level.key != "null"]
    return -1 if key == "null" else len(ordered) - 1 - ordered.index(key)


#: Largest weight that agreement on a rare name may have, as the frequency it is counted with.
RAREST = {"given_name": 5e-4, "family_name": 2e-4}


@dataclass(frozen=True)
class Parameters:
    """Trained numbers, a reviewed artefact: see the model card beside it."""

    version: str
    trained_on: str
    n_records: int
    #: Mean number of matching pairs a record is in; the prior of any population is this over its size.
    matches_per_record: float
    #: comparison -> level -> [m, u]
    weights: dict[str, dict[str, tuple[float, float]]]
    #: column -> common value -> share of records. Rare values are not listed; they count as `RAREST`.
    frequencies: dict[str, dict[str, float]]

    def __post_init__(self) -> None:
        for comparison, its_levels in levels().items():
            for level in its_levels:
                if level.key == "null":
                    continue
                pair = self.weights.get(comparison, {}).get(level.key)
                if pair is None or not all(0 < p < 1 for p in pair):
                    raise ParametersError(
                        f"model {self.version}: level {level.key!r} of {comparison!r} is untrained; train the model again"
                    )
        prior_in_range(self.matches_per_record / max(self.n_records, SMALLEST_POPULATION))

    def prior(self, n_groups: int) -> float:
        """Probability that two random groups of a population of `n_groups` are one person.

        The size is rounded up to a power of two, so that a night's few new people do not move every weight by a hair.
        """
        return prior_in_range(self.matches_per_record / population(n_groups))


def population(n_groups: int) -> int:
    """The size a population of groups is weighed as: the next power of two, 1,024 at least."""
    return max(SMALLEST_POPULATION, 1 << max(n_groups - 1, 0).bit_length())


def prior_in_range(prior: float) -> float:
    """The prior itself, or `ParametersError`: a prior of nearly nought silently makes every match impossible."""
    low, high = PRIOR_RANGE
    if not low < prior < high:
        raise ParametersError(f"the prior {prior:.3g} is not between {low:g} and {high:g}; train the model again on more records")
    return prior


def read_parameters(path: Path) -> Parameters:
    """Read trained numbers. Raises `ParametersError` when the file is not a complete artefact."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        document["weights"] = {c: {k: tuple(mu) for k, mu in its.items()} for c, its in document["weights"].items()}
        return Parameters(**document)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ParametersError(f"{path} is not a trained linkage model ({type(error).__name__}); train the model again") from error


def write_parameters(parameters: Parameters, path: Path) -> None:
    """Write trained numbers as JSON, sorted, so that a retraining shows as a readable difference."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(parameters), indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def settings(
    prior: float, weights: dict[str, dict[str, tuple[float, float]]] | None, *, keep_calculation: bool = False
) -> SettingsCreator:
    """Fresh Splink settings over `representative`; without weights, for training. Charts need the calculation kept."""
    return SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="rep_id",
        probability_two_random_records_match=prior_in_range(prior),
        comparisons=[_comparison(name, its_levels, (weights or {}).get(name)) for name, its_levels in levels().items()],
        blocking_rules_to_generate_predictions=[],
        # Splink gives the level of each comparison only together with the values compared
        retain_matching_columns=weights is not None,
        retain_intermediate_calculation_columns=keep_calculation,
    )


def _comparison(name: str, its_levels: tuple[Level, ...], weights: dict[str, tuple[float, float]] | None) -> CustomComparison:
    creators = []
    for level in its_levels:
        if level.key == "null":
            creators.append(CustomLevel(level.sql, "null").configure(is_null_level=True))
            continue
        creator = ElseLevel() if level.sql == "else" else CustomLevel(level.sql, level.key)
        options: dict[str, object] = {"label_for_charts": level.key}
        if weights is not None:
            options["m_probability"], options["u_probability"] = weights[level.key]
        elif level.fixed_u is not None:
            options |= {"u_probability": level.fixed_u, "fix_u_probability": True}
        if level.frequency is not None:
            options |= {"tf_adjustment_column": level.frequency, "disable_tf_exact_match_detection": True}
        creators.append(creator.configure(**options))
    return CustomComparison(creators, output_column_name=name, comparison_description=name)
