"""Interface classes: the names of their attributes and methods, as rows (DLMS UA Blue Book; national classes as noted in their names)."""

from typing import NamedTuple


class InterfaceClass(NamedTuple):
    """One interface class, its newest version known here; older versions have the same attributes and methods, or fewer.

    Attribute and method n is the n-th name. Where a class is known by name only, `attributes` has but the logical name.
    """

    class_id: int
    name: str
    attributes: tuple[str, ...]
    methods: tuple[str, ...]
    first_method_offset: int | None
    """Offset of method 1 from the base name in short-name referencing, the others 8 apart; None if there is none, or it is not known."""


# class_id | name | attributes after logical_name | methods | offset of method 1 for short names (hexadecimal)
# 64 Security setup has no offset: it moves with the number of attributes, and sources disagree.
_ROWS = """
1 | Data | value
3 | Register | value scaler_unit | reset | 28
4 | Extended register | value scaler_unit status capture_time | reset | 38
5 | Demand register | current_average_value last_average_value scaler_unit status capture_time start_time_current period number_of_periods
    | reset next_period | 48
6 | Register activation | register_assignment mask_list active_mask | add_register add_mask delete_mask | 30
7 | Profile generic | buffer capture_objects capture_period sort_method sort_object entries_in_use profile_entries | reset capture
    get_buffer_by_range get_buffer_by_index | 58
8 | Clock | time time_zone status daylight_savings_begin daylight_savings_end daylight_savings_deviation daylight_savings_enabled
    clock_base | adjust_to_quarter adjust_to_measuring_period adjust_to_minute adjust_to_preset_time preset_adjusting_time shift_time | 60
9 | Script table | scripts | execute | 20
10 | Schedule | entries | enable_disable insert delete | 20
11 | Special days table | entries | insert delete | 10
12 | Association SN | object_list access_rights_list security_setup_reference user_list current_user | getlist_by_classid
    getobj_by_logicalname read_by_logicalname get_attributes&methods change_LLS_secret change_HLS_secret get_HLS_challenge
    reply_to_HLS_authentication add_user remove_user | 20
15 | Association LN | object_list associated_partners_id application_context_name xDLMS_context_info authentication_mechanism_name secret
    association_status security_setup_reference user_list current_user | reply_to_HLS_authentication change_HLS_secret add_object
    remove_object add_user remove_user | 60
17 | SAP assignment | SAP_assignment_list | connect_logical_device | 20
18 | Image transfer | image_block_size image_transferred_blocks_status image_first_not_transferred_block_number image_transfer_enabled
    image_transfer_status image_to_activate_info | image_transfer_initiate image_block_transfer image_verify image_activate | 40
19 | IEC local port setup | default_mode default_baud prop_baud response_time device_addr pass_p1 pass_p2 pass_w5
20 | Activity calendar | calendar_name_active season_profile_active week_profile_table_active day_profile_table_active
    calendar_name_passive season_profile_passive week_profile_table_passive day_profile_table_passive activate_passive_calendar_time |
    activate_passive_calendar | 50
21 | Register monitor | thresholds monitored_value actions
22 | Single action schedule | executed_script type execution_time
23 | IEC HDLC setup | comm_speed window_size_transmit window_size_receive max_info_field_length_transmit max_info_field_length_receive
    inter_octet_time_out inactivity_time_out device_address
24 | IEC twisted pair setup | mode speed primary_address_list tabi_list
25 | M-Bus slave port setup | default_baud avail_baud addr_state bus_address
26 | Utility tables | table_ID length buffer
27 | Modem configuration | comm_speed initialization_string modem_profile
28 | Auto answer | mode listening_window status number_of_calls number_of_rings list_of_allowed_callers
29 | Auto connect | mode repetitions repetition_delay calling_window destination_list | connect
30 | Data protection | protection_buffer protection_object_list protection_parameters_get protection_parameters_set required_protection |
    get_protected_attributes set_protected_attributes invoke_protected_method
40 | Push setup | push_object_list send_destination_and_method communication_window randomisation_start_interval number_of_retries
    repetition_delay port_reference push_client_SAP push_protection_parameters push_operation_method confirmation_parameters
    last_confirmation_date_time | push reset | 38
41 | TCP-UDP setup | TCP-UDP_port IP_reference MSS nb_of_sim_conn inactivity_time_out
42 | IPv4 setup | DL_reference IP_address multicast_IP_address IP_options subnet_mask gateway_IP_address use_DHCP_flag primary_DNS_address
    secondary_DNS_address | add_mc_IP_address delete_mc_IP_address get_nbof_mc_IP_addresses | 60
43 | MAC address setup | MAC_address
44 | PPP setup | PHY_reference LCP_options IPCP_options PPP_authentication
45 | GPRS modem setup | APN PIN_code quality_of_service
46 | SMTP setup | server_port user_name login_password server_address sender_address
47 | GSM diagnostic | operator status cs_attachment ps_status cell_info adjacent_cells capture_time
48 | IPv6 setup | DL_reference address_config_mode unicast_IPv6_addresses multicast_IPv6_addresses gateway_IPv6_addresses
    primary_DNS_address secondary_DNS_address traffic_class neighbor_discovery_setup | add_IPv6_address remove_IPv6_address
50 | S-FSK Phy&MAC setup | initiator_electrical_phase delta_electrical_phase max_receiving_gain max_transmitting_gain
    search_initiator_threshold frequencies mac_address mac_group_addresses repeater repeater_status min_delta_credit initiator_mac_address
    synchronization_locked transmission_speed
51 | S-FSK Active initiator | active_initiator | reset_NEW_not_synchronized
52 | S-FSK MAC synchronization timeouts | search_initiator_timeout synchronization_confirmation_timeout time_out_not_addressed
    time_out_frame_not_OK
53 | S-FSK MAC counters | synchronization_register desynchronization_listing broadcast_frames_counter repetitions_counter
    transmissions_counter CRC_OK_frames_counter CRC_NOK_frames_counter | reset
55 | IEC 61334-4-32 LLC setup | max_frame_length reply_status_list
56 | S-FSK Reporting system list | reporting_system_list
57 | ISO/IEC 8802-2 LLC Type 1 setup | max_octets_ui_pdu
58 | ISO/IEC 8802-2 LLC Type 2 setup | transmit_window_size_k receive_window_size_rw max_octets_i_pdu_n1 max_number_transmissions_n2
    acknowledgement_timer p_bit_timer reject_timer busy_state_timer
59 | ISO/IEC 8802-2 LLC Type 3 setup | max_octets_acn_pdu_n3 max_number_transmissions_n4 acknowledgement_time_t1 receive_lifetime_var_t2
    transmit_lifetime_var_t3
61 | Register table | table_cell_values table_cell_definition scaler_unit | reset capture | 28
62 | Compact data | compact_buffer capture_objects template_id template_description capture_method | reset capture
63 | Status mapping | status_word mapping_table
64 | Security setup | security_policy security_suite client_system_title server_system_title certificates | security_activate key_transfer
    key_agreement generate_key_pair generate_certificate_request import_certificate export_certificate remove_certificate
65 | Parameter monitor | changed_parameter capture_time parameter_list | add_parameter delete_parameter | 20
67 | Sensor manager | serial_number metrological_identification output_type adjustment_method sealing_method raw_value scaler_unit status
    capture_time raw_value_thresholds raw_value_actions processed_value processed_value_thresholds processed_value_actions | reset | 80
68 | Arbitrator | actions permissions_table weightings_table most_recent_requests_table last_outcome | request_action reset
70 | Disconnect control | output_state control_state control_mode | remote_disconnect remote_reconnect | 20
71 | Limiter | monitored_value threshold_active threshold_normal threshold_emergency min_over_threshold_duration
    min_under_threshold_duration emergency_profile emergency_profile_group_id_list emergency_profile_active actions
72 | M-Bus client | mbus_port_reference capture_definition capture_period primary_address identification_number manufacturer_id version
    device_type access_number status alarm configuration encryption_key_status | slave_install slave_deinstall capture reset_alarm
    synchronize_clock data_send set_encryption_key transfer_key | 60
73 | Wireless mode Q channel | addr_state device_address address_mask
74 | M-Bus master port setup | comm_speed
76 | DLMS/COSEM server M-Bus port setup | profile_selection port_communication_status data_header_type primary_address
    identification_number manufacturer_id mbus_version device_type max_pdu_size listening_window
77 | M-Bus diagnostic | received_signal_strength channel_id link_status broadcast_frames transmissions received_frames
    failed_received_frames capture_time | reset
80 | 61334-4-32 LLC SSCS setup | service_node_address base_node_address | reset
81 | PRIME NB OFDM PLC Physical layer counters | phy_stats_crc_incorrect_count phy_stats_crc_fail_count phy_stats_tx_drop_count
    phy_stats_rx_drop_count | reset
82 | PRIME NB OFDM PLC MAC setup | mac_min_switch_search_time mac_max_promotion_pdu mac_promotion_pdu_tx_period mac_beacons_per_frame
    mac_scp_max_tx_attempts mac_ctl_re_tx_timer mac_max_ctl_re_tx
83 | PRIME NB OFDM PLC MAC functional parameters | mac_LNID mac_LSID mac_SID mac_SNA mac_state mac_scp_length mac_node_hierarchy_level
    mac_beacon_slot_count mac_beacon_rx_slot mac_beacon_tx_slot mac_beacon_rx_frequency mac_beacon_tx_frequency mac_capabilities
84 | PRIME NB OFDM PLC MAC counters | mac_tx_data_pkt_count mac_rx_data_pkt_count mac_tx_ctrl_pkt_count mac_rx_ctrl_pkt_count
    mac_csma_fail_count mac_csma_ch_busy_count | reset
85 | PRIME NB OFDM PLC MAC network administration data | mac_list_multicast_entries mac_list_switch_table mac_list_direct_table
    mac_list_available_switches mac_list_phy_comm | reset
86 | PRIME NB OFDM PLC Application identification | firmware_version vendor_ID product_ID
90 | G3-PLC MAC layer counters | mac_Tx_data_packet_count mac_Rx_data_packet_count mac_Tx_cmd_packet_count mac_Rx_cmd_packet_count
    mac_CSMA_fail_count mac_CSMA_no_ACK_count mac_bad_CRC_count mac_Tx_data_broadcast_count mac_Rx_data_broadcast_count | reset
91 | G3-PLC MAC setup | | mac_get_neighbour_table_entry mac_get_POS_table_entry
92 | G3-PLC 6LoWPAN adaptation layer setup
100 | NTP setup | activated server_address server_port authentication_method authentication_keys client_key | synchronize
    add_authentication_key delete_authentication_key | 38
101 | ZigBee SAS startup
102 | ZigBee SAS join
103 | ZigBee SAS APS fragmentation
104 | ZigBee network control | enable_disable_joining join_timeout active_devices | register_device unregister_device
    unregister_all_devices backup_PAN restore_PAN identify_device remove_mirror update_network_key update_link_key create_PAN remove_PAN
105 | ZigBee tunnel setup
111 | Account | account_mode_and_status current_credit_in_use current_credit_status available_credit amount_to_clear clearance_threshold
    aggregated_debt credit_reference_list charge_reference_list credit_charge_configuration token_gateway_configuration
    account_activation_time account_closure_time currency low_credit_threshold next_credit_available_threshold max_provision
    max_provision_period | activate_account close_account reset_account
112 | Credit | current_credit_amount credit_type priority warning_threshold limit credit_configuration credit_status preset_credit_amount
    credit_available_threshold period | update_amount set_amount_to_value invoke_credit
113 | Charge | total_amount_paid charge_type priority unit_charge_active unit_charge_passive unit_charge_activation_time period
    charge_configuration last_collection_time last_collection_amount total_amount_remaining proportion | update_unit_charge
    activate_passive_unit_charge collect update_total_amount_remaining set_total_amount_remaining
115 | Token gateway | token token_time token_description token_delivery_method token_status | enter
116 | IEC 62055-41 attributes | meter_PAN commodity token_carrier_types encryption_algorithm supply_group_code tariff_index
    key_revision_number key_type key_expiry_number no_of_KCT_supported STS_certificate_no
122 | Function control | activation_status function_list | set_function_status add_function remove_function
123 | Array manager | array_object_list | retrieve_number_of_entries retrieve_entries insert_entries update_entries remove_entries
124 | Communication port protection | protection_mode allowed_failed_attempts initial_lockout_time steepness_factor max_lockout_time
    port_reference protection_status failed_attempts cumulative_failed_attempts | reset
140 | HS-PLC ISO/IEC 12139-1 MAC setup
141 | HS-PLC CPAS setup
142 | HS-PLC IP SSAS setup
143 | HS-PLC HDLC SSAS setup
151 | LTE monitoring | LTE_network_parameters LTE_quality_of_service
152 | CoAP setup | UDP_reference ack_timeout ack_random_factor max_retransmit nstart delay_ack_timeout exponential_back_off probing_rate
    CoAP_URI_path transport_mode wrapper_version token_length
153 | CoAP diagnostic | messages_counter request_response_counter bt_counter capture_time | reset
160 | G3-PLC hybrid RF MAC layer counters
161 | G3-PLC hybrid RF MAC setup
162 | G3-PLC hybrid 6LoWPAN adaptation layer setup
8192 | Tariff plan (Italy UNI/TS 11291) | calendar_name enabled plan activation_time
9000 | Extended data | value_active scaler_unit_active value_passive scaler_unit_passive activate_passive_value_time | reset
    activate_passive_value
"""


def _row(line: str) -> InterfaceClass:
    class_id, name, attributes, methods, offset = (
        *(cell.strip() for cell in line.split("|")),
        "",
        "",
        "",
    )[:5]
    return InterfaceClass(
        class_id=int(class_id),
        name=name,
        attributes=("logical_name", *attributes.split()),
        methods=tuple(methods.split()),
        first_method_offset=int(offset, 16) if offset else None,
    )


INTERFACE_CLASSES = {
    row.class_id: row
    for row in map(_row, _ROWS.replace("\n    ", " ").strip().splitlines())
}
