"""Tables: rows of numbers that mean different things in each column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from utils.data import Provenance, read_verified

VISITS = Provenance(
    package="statsmodels",
    version="0.15.0",
    file="datasets/randhie/randhie.csv",
    sha256="9f6c87d05aef087a82cc4465310c8cd3f38327be6eafa43bd81fb98c4f3d088c",
    source=(
        "RAND Health Insurance Experiment, collected by the RAND Corporation, as used in A. C. Cameron and "
        "P. K. Trivedi, Microeconometrics, 2005; the package's code is under BSD-3-Clause"
    ),
    license=(
        "public domain, says the package's file datasets/randhie/data.py (https://github.com/statsmodels/statsmodels)"
    ),
    note=(
        "20,190 rows, one a person and year, in the order of the file: the years of a person follow each other, and "
        "the people of a household; the file names neither, so here a household is a stretch of rows with one "
        "insurance plan, which may join two neighbors and cut one whose plan changed; disea is called a number of "
        "diseases, and is an index with fractions; physlm has values between 0 and 1, too"
    ),
)
COLUMNS = ("lncoins", "idp", "lpi", "fmde", "physlm", "disea", "hlthg", "hlthf", "hlthp")
PLAN = 4  # the first columns describe the insurance


@dataclass(frozen=True, eq=False)
class Table:
    """Rows of features and a count, some rows from the same household.

    Attributes
    ----------
    name : what the table is called
    columns : the name of each feature
    x : float64, shape (rows, features)
    counts : what is to be predicted, int64, shape (rows,)
    households : number of each row's household, int64 from 0 in the order of the rows, shape (rows,)
    provenance : source, license and what to know before use
    """

    name: str
    columns: tuple[str, ...]
    x: np.ndarray
    counts: np.ndarray
    households: np.ndarray
    provenance: Provenance


def doctor_visits() -> Table:
    """Load how often people saw a doctor in a year, with their insurance and their health.

    Returns
    -------
    Table
        20,190 rows of nine features, 2,259 households; ``counts`` are visits, 0 in 31 % of the rows. The features
        are the logarithm of the share of a bill that the insured pay, whether there is an individual deductible, the
        logarithm of a payment for taking part, the logarithm of the most that the insured pay; a physical limitation,
        chronic diseases, and whether health is called good, fair or poor (none of them: excellent).

    Raises
    ------
    utils.data.DataError
        If the file is missing, damaged or of another version.
    """
    content = read_verified(VISITS.package, VISITS.version, VISITS.file, VISITS.sha256)
    table = np.loadtxt(content.decode("ascii").splitlines(), delimiter=",", skiprows=1)
    x = table[:, 1:]
    changed = (x[1:, :PLAN] != x[:-1, :PLAN]).any(axis=1)
    return Table(
        name="Visits to a doctor",
        columns=COLUMNS,
        x=x,
        counts=table[:, 0].astype(np.int64),
        households=np.concatenate([[0], np.cumsum(changed)]).astype(np.int64),
        provenance=VISITS,
    )
