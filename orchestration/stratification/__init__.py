"""Risk models trained on a warehouse's own past: fit, judge, keep, compare. Arguments in, an artefact to be reviewed out."""
