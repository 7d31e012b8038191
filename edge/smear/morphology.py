"""What the white cells of each class look like, in micrometres, as one table.

Sources:
    - Bennett et al., "Proposals for the classification of the acute leukaemias", British Journal
      of Haematology 33 (1976) 451-458: nuclear-to-cytoplasmic ratio, chromatin, nucleoli and
      nuclear outline as the features that tell lymphoblasts apart.
    - Bain, "Blood Cells: A Practical Guide", 5th edition (2015): small lymphocytes with dense,
      homogeneous chromatin and a thin rim of cytoplasm; lymphoblasts larger, with finer chromatin
      and nucleoli that are paler than the chromatin; diameters of red cells, neutrophils and
      monocytes.
    - McKenna et al., "Immunophenotypic analysis of hematogones", Blood 98 (2001) 2498-2507:
      hematogones as small cells with condensed, smooth chromatin, scant cytoplasm, no nucleoli.
    - Aria et al., "Acute Lymphoblastic Leukemia (ALL) image dataset", DOI
      10.34740/KAGGLE/DSV/2175623: the four classes; typical cell numbers per field and sizes
      relative to red cells were read off its images. The figures below are rounded by eye and are
      no measurement of patients.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from edge.labels import SMEAR_LABELS

#: The classes in the order of a model's outputs.
LABELS: Final = SMEAR_LABELS


@dataclass(frozen=True, slots=True)
class Morphology:
    """How one kind of white cell looks and how densely it lies.

    Lengths are in micrometres on the slide, angles are not used, all else is a plain ratio.

    Attributes:
        nucleus_diameter_um: mean diameter of the nucleus.
        nucleus_diameter_sd_um: its standard deviation from cell to cell (anisocytosis).
        nucleus_to_cell: diameter of the nucleus over that of the cell; 1 would be a bare nucleus.
        nucleus_to_cell_sd: its standard deviation from cell to cell.
        chromatin_density: mean absorbance of the nucleus relative to the field's stain.
        chromatin_contrast: standard deviation of that absorbance inside one nucleus, relative.
        chromatin_grain_um: typical size of chromatin clumps.
        nucleoli: the fewest and the most nucleoli of one cell.
        nucleolus_diameter_um: mean diameter of a nucleolus.
        outline_irregularity: root mean square deviation of the nuclear radius, relative.
        clefts: the fewest and the most indentations of the nuclear outline.
        cleft_depth: mean depth of an indentation relative to the nuclear radius.
        basophilia: absorbance of the cytoplasm relative to the field's stain.
        cells_per_field: the fewest and the most cells on a square field (about 93 um wide).
        clustering: share of cells that lie against a neighbour.
        other_cells: share of normal white cells (neutrophils, monocytes) among all.
    """

    nucleus_diameter_um: float
    nucleus_diameter_sd_um: float
    nucleus_to_cell: float
    nucleus_to_cell_sd: float
    chromatin_density: float
    chromatin_contrast: float
    chromatin_grain_um: float
    nucleoli: tuple[int, int]
    nucleolus_diameter_um: float
    outline_irregularity: float
    clefts: tuple[int, int]
    cleft_depth: float
    basophilia: float
    cells_per_field: tuple[int, int]
    clustering: float
    other_cells: float


MORPHOLOGIES: Final[Mapping[str, Morphology]] = MappingProxyType(
    {
        # Hematogones and normal lymphocytes.
        "Benign": Morphology(
            nucleus_diameter_um=6.7,  # hardly wider than a red cell
            nucleus_diameter_sd_um=0.7,
            nucleus_to_cell=0.90,  # scant cytoplasm
            nucleus_to_cell_sd=0.03,
            chromatin_density=1.40,  # very dense
            chromatin_contrast=0.05,  # homogeneous, smooth
            chromatin_grain_um=1.2,
            nucleoli=(0, 0),
            nucleolus_diameter_um=1.0,
            outline_irregularity=0.02,  # round
            clefts=(0, 0),
            cleft_depth=0.0,
            basophilia=0.7,
            cells_per_field=(7, 15),
            clustering=0.2,
            other_cells=0.25,  # the normal cells of a healthy smear are still there
        ),
        # Early pre-B: medium blasts.
        "Early": Morphology(
            nucleus_diameter_um=9.6,
            nucleus_diameter_sd_um=0.7,  # a uniform population
            nucleus_to_cell=0.93,  # the highest ratio of all
            nucleus_to_cell_sd=0.02,
            chromatin_density=1.0,
            chromatin_contrast=0.12,  # fine
            chromatin_grain_um=0.6,
            nucleoli=(0, 1),  # inconspicuous where present
            nucleolus_diameter_um=1.2,
            outline_irregularity=0.035,
            clefts=(0, 0),
            cleft_depth=0.0,
            basophilia=0.8,
            cells_per_field=(5, 10),
            clustering=0.25,
            other_cells=0.06,
        ),
        # Pre-B: crowded blasts of mixed size.
        "Pre": Morphology(
            nucleus_diameter_um=9.3,
            nucleus_diameter_sd_um=1.7,  # small and large blasts side by side
            nucleus_to_cell=0.86,
            nucleus_to_cell_sd=0.05,
            chromatin_density=1.0,
            chromatin_contrast=0.18,  # stippled
            chromatin_grain_um=0.9,
            nucleoli=(1, 2),
            nucleolus_diameter_um=1.7,
            outline_irregularity=0.06,
            clefts=(0, 1),
            cleft_depth=0.10,
            basophilia=1.1,
            cells_per_field=(13, 24),
            clustering=0.6,
            other_cells=0.03,
        ),
        # Pro-B: few, pale, large-ish blasts with an open chromatin.
        "Pro": Morphology(
            nucleus_diameter_um=10.2,
            nucleus_diameter_sd_um=1.0,
            nucleus_to_cell=0.77,  # the widest cytoplasm of the blasts
            nucleus_to_cell_sd=0.05,
            chromatin_density=0.75,
            chromatin_contrast=0.22,  # open, reticular
            chromatin_grain_um=1.3,
            nucleoli=(2, 3),  # prominent
            nucleolus_diameter_um=2.1,
            outline_irregularity=0.07,
            clefts=(1, 2),  # convoluted
            cleft_depth=0.28,
            basophilia=0.9,
            cells_per_field=(4, 9),
            clustering=0.15,
            other_cells=0.05,
        ),
    }
)
