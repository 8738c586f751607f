"""Queues, ledger, audit log, incidents and evidence on Azure Storage."""
