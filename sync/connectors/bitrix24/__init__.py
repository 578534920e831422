"""Bitrix24: the client that makes the calls, the vocabulary of its CRM (`crm`), its webhooks (`webhook`)."""
