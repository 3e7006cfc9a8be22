"""The people a risk model is trained on, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from orchestration.stratification.model import Term


@dataclass(frozen=True)
class People:
    """People as they were on the index date, and what became of them: one row a person, always in the same order."""

    index_date: date
    outcome_to: date
    terms: tuple[Term, ...]
    #: People x terms, from 0 to 1.
    values: np.ndarray
    #: True for people with the outcome.
    outcome: np.ndarray
    #: Characteristic -> group of each person, to judge the model by.
    groups: Mapping[str, np.ndarray]
    n_died: int
    n_left: int
    #: First day with hospital contacts; None without any.
    history_from: date | None
    #: First day that the features look at.
    history_needed_from: date
