package sms

// InHand is how many messages are worked on at once, InLine how many of a phone
// wait behind the one that is, and LineTries how often one of them is tried.
const (
	InHand    = inHand
	InLine    = inLine
	LineTries = lineTries
)
