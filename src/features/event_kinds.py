"""What the kinds of events mean: the one place that names them.

What the firm sets off is no behaviour of the customer's: whom it mails, and how often, follows what
it already thinks of them. Features divide by such events and never count them.
"""

FIRM_TRIGGERED = frozenset({"email_sent", "sms_sent", "push_sent", "letter_sent", "call_made"})
"""Events that the firm sets off."""

EMAIL_SENT = "email_sent"
EMAIL_OPEN = "email_open"
EMAIL_CLICK = "email_click"
UNSUBSCRIBE = "unsubscribe"
SUBSCRIBE = "subscribe"
VISIT = "visit"
SEARCH = "search"
CART_ABANDONED = "cart_abandoned"
USAGE = "usage"
COMPLAINT = "complaint"
COMPLAINT_RESOLVED = "complaint_resolved"
PAYMENT_FAILED = "payment_failed"
