"""GitHub: as much of its REST API as a comment needs, and the environment of its Actions."""
