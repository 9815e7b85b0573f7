"""The files that ``pldgov init`` writes; nothing here is code of pldgov's own."""
