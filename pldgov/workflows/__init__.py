"""The journeys: what the verbs do, with student, store and repository given as parameters."""
