"""Rules as data: one YAML file an entity, and the files with an underscore that all share."""
