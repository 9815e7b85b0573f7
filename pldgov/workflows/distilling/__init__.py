"""Distillation as one journey: from labelled examples and a teacher to a reviewable rulebook.

A run is a pure function of rulebook, examples, templates, settings, the teacher's recorded
replies and the student's recorded decisions. So nothing is ever resumed: whatever ends a run
early, running it again goes the same way, and asks only for what is not recorded yet.
"""
