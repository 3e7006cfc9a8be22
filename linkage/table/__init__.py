"""Any table of people, linked to itself or to another: no agreed shape, no NHS number, no trained model needed.

The data flows one way: `columns` says what each column is, `read` brings it to one form, `fields` says how two records are
compared, `pairs` which are, `learn` what agreement is worth in this very table, `partition` who is one person, and `link` is the
entry point. `index` links a table to the registry's people, with the nightly rules and the trained model.
"""
