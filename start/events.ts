import { mailOnEvents } from '#mails/on_events'

mailOnEvents()
