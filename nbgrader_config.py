"""nbgrader's own commands work on this repository: `nbgrader generate_assignment 01_hello_cluster`, `nbgrader autograde ...`."""

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "k8slab"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.ClearSolutions.code_stub = {"python": "..."}
c.ExecutePreprocessor.timeout = 300
