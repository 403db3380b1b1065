"""What the attributes of interface classes are made of, as rows. Source: DLMS UA Blue Book, interface classes.

A row is `class.attribute … | type`. A type is one of the standard's, or `name` (a logical name), `text` (sent in octets),
`visible_text`, `date_time`, `date`, `time` (in octets, which some meters send under tags of their own), `any`, an
enumeration `a/b/c` of values from 0 on (`-` where there is none), `Name{field:type …}` a structure, `[type]` an array, and
`type or type` what has grown with the version of its class, the newest first.

Attributes without a row are of a type that is the meter's choice, as the value of a register, or have a decoder of their
own, as object lists and buffers.
"""

ATTRIBUTE_TYPES = """
3.3 4.3 5.4 | ScalerUnit{scaler:integer unit:enum}
4.5 5.6 5.7 | date_time
5.8 | double_long_unsigned
5.9 | long_unsigned
7.3 62.3 | [CaptureObject{class_id:long_unsigned logical_name:name attribute_id:integer data_index:long_unsigned}]
7.4 7.7 7.8 | double_long_unsigned
7.5 | -/fifo/lifo/largest/smallest/nearest_to_zero/farthest_from_zero
7.6 | CaptureObject{class_id:long_unsigned logical_name:name attribute_id:integer data_index:long_unsigned}
8.2 8.5 8.6 | date_time
8.3 | long
8.4 | unsigned
8.7 | integer
8.8 | boolean
8.9 | not_defined/internal_crystal/mains_50_hz/mains_60_hz/gps/radio
9.2 | [Script{script_identifier:long_unsigned actions:[ScriptAction{
    service_id:-/write_attribute/execute_method class_id:long_unsigned logical_name:name index:integer parameter:any}]}]
12.3 | [ObjectAccess{base_name:long attribute_access:[AttributeAccess{attribute_id:integer access_mode:enum access_selectors:any}]
    method_access:[MethodAccess{method_id:integer access_mode:any}]}]
12.4 15.9 40.8 | name
12.5 15.10 | [User{user_id:unsigned user_name:visible_text}]
12.6 15.11 | User{user_id:unsigned user_name:visible_text}
15.3 | AssociatedPartners{client_sap:integer server_sap:long_unsigned}
15.4 | ApplicationContextName{joint_iso_ctt:unsigned country:unsigned country_name:long_unsigned identified_organization:unsigned
    dlms_ua:unsigned application_context:unsigned context_id:unsigned}
15.5 | XdlmsContextInfo{conformance:bit_string max_receive_pdu_size:long_unsigned max_send_pdu_size:long_unsigned
    dlms_version_number:unsigned quality_of_service:integer cyphering_info:octet_string}
15.6 | AuthenticationMechanismName{joint_iso_ctt:unsigned country:unsigned country_name:long_unsigned
    identified_organization:unsigned dlms_ua:unsigned authentication_mechanism_name:unsigned mechanism_id:unsigned}
15.7 | octet_string
15.8 | non_associated/association_pending/associated
17.2 | [SapAssignment{sap:long_unsigned logical_device_name:text}]
18.2 18.4 | double_long_unsigned
18.3 | bit_string
18.5 | boolean
18.6 | not_initiated/initiated/verification_initiated/verification_successful/verification_failed/activation_initiated
    /activation_successful/activation_failed
18.7 | [ImageToActivate{size:double_long_unsigned identification:octet_string signature:octet_string}]
20.2 20.6 | text
20.3 20.7 | [SeasonProfile{name:text start:date_time week_name:text}]
20.4 20.8 | [WeekProfile{name:text monday:unsigned tuesday:unsigned wednesday:unsigned thursday:unsigned friday:unsigned
    saturday:unsigned sunday:unsigned}]
20.5 20.9 | [DayProfile{day_id:unsigned schedule:[DayProfileAction{start_time:time script_logical_name:name
    script_selector:long_unsigned}]}]
20.10 | date_time
23.2 | baud_300/baud_600/baud_1200/baud_2400/baud_4800/baud_9600/baud_19200/baud_38400/baud_57600/baud_115200
23.3 23.4 | unsigned
23.5 23.6 23.7 23.8 23.9 | long_unsigned
40.2 | [PushObject{class_id:long_unsigned logical_name:name attribute_id:integer data_index:long_unsigned
    restriction:PushRestriction{type:none/by_date/by_entry value:any}
    columns:[CaptureObject{class_id:long_unsigned logical_name:name attribute_id:integer data_index:long_unsigned}]}]
    or [PushObject{class_id:long_unsigned logical_name:name attribute_id:integer data_index:long_unsigned
    restriction:PushRestriction{type:none/by_date/by_entry value:any}}]
    or [CaptureObject{class_id:long_unsigned logical_name:name attribute_id:integer data_index:long_unsigned}]
40.3 | SendDestinationAndMethod{transport_service:tcp/udp/ftp/smtp/sms/hdlc/m_bus/zigbee/dlms_gateway destination:octet_string
    message:a_xdr/xml}
40.4 | [CommunicationWindow{start:date_time end:date_time}]
40.5 | long_unsigned
40.6 | unsigned
40.7 | long_unsigned or RepetitionDelay{min:long_unsigned exponent:long_unsigned max:long_unsigned}
40.9 | integer
40.10 | [PushProtection{type:authentication/encryption/authentication_and_encryption/digital_signature
    options:PushProtectionOptions{transaction_id:octet_string originator_system_title:octet_string
    recipient_system_title:octet_string other_information:octet_string key_info:KeyInfo{type:identified/wrapped/agreed options:any}}}]
40.11 | unconfirmed_retry_on_failure/unconfirmed_retry_on_missing_confirmation/confirmed
40.12 | ConfirmationParameters{start:date_time interval:double_long_unsigned}
40.13 | date_time
63.3 | MappingTable{ref_table_id:unsigned ref_table_mapping:[long_unsigned]}
    or MappingTable{ref_table_id:unsigned ref_table_mapping:long_unsigned}
64.2 | none/authenticated/encrypted/authenticated_and_encrypted
64.3 | enum
64.4 64.5 | octet_string
64.6 | [CertificateInfo{entity:server/client/certification_authority/other type:digital_signature/key_agreement/tls/other
    serial_number:octet_string issuer:octet_string subject:octet_string subject_alt_name:octet_string}]
62.2 62.5 | octet_string
62.4 | unsigned
62.6 | invoke/implicit
70.2 | boolean
70.3 | disconnected/connected/ready_for_reconnection
70.4 | enum
71.2 | MonitoredValue{class_id:long_unsigned logical_name:name attribute_id:integer}
71.6 71.7 | double_long_unsigned
71.8 | EmergencyProfile{id:long_unsigned activation_time:date_time duration:double_long_unsigned}
71.9 | [long_unsigned]
71.10 | boolean
71.11 | LimiterActions{over_threshold:ActionItem{script_logical_name:name script_selector:long_unsigned}
    under_threshold:ActionItem{script_logical_name:name script_selector:long_unsigned}}
72.2 | name
72.3 | [CaptureDefinition{data_information_block:octet_string value_information_block:octet_string}]
72.4 72.6 | double_long_unsigned
72.5 72.8 72.9 72.10 72.11 72.12 | unsigned
72.7 72.13 | long_unsigned
72.14 | no_encryption_key/encryption_key_set/encryption_key_transferred/encryption_key_set_and_in_use
"""
