package sms

// WorkSlots is how many messages are worked on at once, QueueLength how many of a phone
// wait behind the one that is, and QueueTries how often one of them is tried.
const (
	WorkSlots   = workSlots
	QueueLength = queueLength
	QueueTries  = queueTries
)
