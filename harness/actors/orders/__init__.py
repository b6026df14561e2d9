"""The HL7 side of orders: who registers, places, schedules and keeps them, and the messages that say so."""
