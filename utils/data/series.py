"""Time series: one value a week, split by time and never at random."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from utils.data import Provenance, read_verified

CO2 = Provenance(
    package="statsmodels",
    version="0.15.0",
    file="datasets/co2/co2.csv",
    sha256="16695fa2786e53414e5a6b54767a3fdf5de99cfbc68617f69d1362d92776a92f",
    source=(
        "weekly averages of the air at Mauna Loa Observatory, Hawaii, by the Carbon Dioxide "
        "Research Group of the Scripps Institution of Oceanography; C. D. Keeling and T. P. Whorf, "
        "2004, Carbon Dioxide Information Analysis Center "
        "(https://doi.org/10.3334/CDIAC/atg.ndp001); the package's code is under BSD-3-Clause"
    ),
    license=(
        "public domain, says the package's file datasets/co2/data.py "
        "(https://github.com/statsmodels/statsmodels); what Scripps itself publishes is under "
        "CC BY 4.0 (https://scrippsco2.ucsd.edu)"
    ),
    note=(
        "carbon dioxide in parts per million by volume, on the calibration scale of 1999; an "
        "average is of one to seven days and bears the date of its Saturday; of 2,284 weeks 59 "
        "have no measurement, 18 of them in a row in 1964 and none after 1985: NaN here, nothing "
        "is filled in"
    ),
)


@dataclass(frozen=True, eq=False)
class Series:
    """Values at equally spaced dates, with gaps.

    A model of it is tested on later dates than it was trained on: neighbors resemble each
    other, and at random they would stand on both sides.

    Attributes
    ----------
    name : what the series is called
    dates : datetime64[D], ascending, shape (n,)
    values : float64, NaN where nothing was measured, shape (n,)
    unit : of the values
    provenance : source, license and what was done to the data
    """

    name: str
    dates: np.ndarray
    values: np.ndarray
    unit: str
    provenance: Provenance

    def before(self, date: str) -> Series:
        """Return the part that ends before a date, written as 1990-01-01."""
        return self._part(self.dates < np.datetime64(date))

    def since(self, date: str) -> Series:
        """Return the part that begins at a date, written as 1990-01-01."""
        return self._part(self.dates >= np.datetime64(date))

    def _part(self, chosen: np.ndarray) -> Series:
        return replace(self, dates=self.dates[chosen], values=self.values[chosen])


def co2() -> Series:
    """Load the carbon dioxide in the air at Mauna Loa, week by week from 1958 to 2001.

    Training before 1990-01-01 leaves 1,658 weeks, all 59 gaps among them, and 626 for the
    test.

    Returns
    -------
    Series
        2,284 Saturdays, seven days apart, and the values in ppm.

    Raises
    ------
    utils.data.DataError
        If the file is missing, damaged or of another version.
    """
    content = read_verified(CO2.package, CO2.version, CO2.file, CO2.sha256)
    rows = [line.split(",") for line in content.decode("ascii").splitlines()[1:]]
    return Series(
        name="CO₂ at Mauna Loa",
        dates=np.array([f"{day[:4]}-{day[4:6]}-{day[6:]}" for day, _ in rows], "datetime64[D]"),
        values=np.array([float(value or "nan") for _, value in rows]),
        unit="ppm",
        provenance=CO2,
    )
