"""RabbitMQ: NestJS's wire format (`wire`), the messages about leads (`leads`), the broker (`connection`)."""
