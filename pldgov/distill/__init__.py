"""Distillation: from labelled examples and a teacher's answers to rules, in pure steps.

Each step takes values and recorded answers and returns values or the requests whose answers it
lacks. A run is a function of the rulebook's folder, the settings, the seed and the answers, so
resuming a run is running it again.
"""
