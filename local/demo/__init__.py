"""A city hall's day through the whole system on one machine: ``python -m local.demo [--keep]``.

world     the accounts, and the sending of the samples (mail arrives, files appear, uploads land)
watch     what the audit log and the storage hold, read with the Azure SDK alone
readback  what became of each item, read from the stand-in over plain HTTP
report    the table, ``report.json``, the verdict
runner    the order of it all
"""
