"""One entity a file; ``ALL`` is what the engine runs."""

from __future__ import annotations

from shared.detect.recognizer import Recognizer
from shared.detect.recognizers.corporate_number import CorporateNumber
from shared.detect.recognizers.credit_card import CreditCard
from shared.detect.recognizers.drivers_licence import DriversLicence
from shared.detect.recognizers.email_address import EmailAddress
from shared.detect.recognizers.mrz import Mrz
from shared.detect.recognizers.my_number import MyNumber
from shared.detect.recognizers.phone_number import PhoneNumber
from shared.detect.recognizers.sensitive_information import SensitiveInformation

ALL: tuple[type[Recognizer], ...] = (
    MyNumber,
    CorporateNumber,
    CreditCard,
    DriversLicence,
    PhoneNumber,
    EmailAddress,
    Mrz,
    SensitiveInformation,
)
