"""What is private in a text, one room per family of kinds; nothing here says what is done about it.

    text ─▶ Finding(kind, start, end), …

A detector is a function from a text to findings; ``DETECTORS`` lists ours. Others, say one that knows the names of
people, are added in ``PrivacyConfig.detectors``. All of them take time in proportion to the text, whatever it is: where
a pattern might be tried at every character, its repetitions are bounded.
"""

from generators.detectors.account_numbers import find_account_numbers
from generators.detectors.assigned_secrets import find_assigned_secrets
from generators.detectors.authorization import find_authorization
from generators.detectors.command_lines import find_command_lines
from generators.detectors.contacts import find_emails, find_phones
from generators.detectors.cookies import find_cookies
from generators.detectors.credentials import find_credentials
from generators.detectors.known_keys import find_known_keys
from generators.detectors.national_ids import find_national_ids
from generators.detectors.private_keys import find_private_keys
from generators.detectors.table_secrets import find_table_secrets
from generators.finding import Detector

# Of findings that overlap, the first detector's kind is told.
DETECTORS: tuple[Detector, ...] = (
    find_private_keys,
    find_known_keys,
    find_credentials,
    find_authorization,
    find_assigned_secrets,
    find_table_secrets,
    find_cookies,
    find_command_lines,
    find_emails,
    find_account_numbers,
    find_national_ids,
    find_phones,
)
