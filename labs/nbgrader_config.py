"""Settings of nbgrader for the labs: copy this folder, and run nbgrader in it."""

c = get_config()  # noqa: F821 - given by nbgrader

c.CourseDirectory.course_id = "autobuild-labs"
c.ClearSolutions.code_stub = {"python": "# Your answer:"}
c.ExecutePreprocessor.timeout = 300  # seconds for a cell
