"""Bitrix24: the client that makes the calls (`client`), commands and readers of its CRM (`crm`), its webhooks
(`webhook`).
"""
