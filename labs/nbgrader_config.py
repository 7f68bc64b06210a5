"""Settings of nbgrader for the labs: copy this folder, and run nbgrader in it."""

from nbgrader.preprocessors import CheckCellMetadata, ClearOutput, DeduplicateIds, OverwriteCells, OverwriteKernelspec

c = get_config()  # noqa: F821 - given by nbgrader


class DropDoubles(DeduplicateIds):
    """Take a copied or split answer for an ordinary cell: at one, nbgrader 0.9.6 would stop grading the whole class."""

    def preprocess_cell(self, cell, resources, cell_index):
        """Remove the empty entry that `DeduplicateIds` leaves in such a cell."""
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        if cell.metadata.get("nbgrader") == {}:
            del cell.metadata["nbgrader"]
        return cell, resources


c.CourseDirectory.course_id = "autobuild-labs"
c.ClearSolutions.code_stub = {"python": "# Your answer:"}
c.Execute.timeout = 300  # seconds for a cell
c.OverwriteCells.add_missing_cells = True  # checks that a student has deleted
c.Autograde.sanitize_preprocessors = [ClearOutput, DropDoubles, OverwriteKernelspec, OverwriteCells, CheckCellMetadata]
