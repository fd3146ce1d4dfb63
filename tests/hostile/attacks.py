"""The entries of the catalog that need no table here: proven elsewhere, or none of our business."""

from tests.hostile.case import NotOurs, Proven

COUNT = 252

_PIPELINE = "tests/engine/test_pipeline.py::"
_DECODE = "tests/engine/test_decode.py::"
_BODIES = "tests/gateway/http/test_bodies.py::"
_MULTIPART = "tests/gateway/imageconverter_api/test_multipart.py::"
_CONTENT = "tests/gateway/test_content.py::"
_UPLOADS = "tests/gateway/images_api/test_uploads.py::"
_HERE = "tests/hostile/"

PROVEN = [
    Proven(47, "output bomb", [f"{_PIPELINE}test_an_output_may_not_be_a_bomb"]),
    Proven(49, "many legal images at once", [
        f"{_HERE}test_images_at_the_gateway.py::test_49_many_legal_images_at_once_wait_for_each_other",
        "tests/worker/sandbox/test_pool.py::test_more_images_than_children_are_all_converted",
        f"{_UPLOADS}test_ten_large_uploads_do_not_stop_the_gateway_from_answering",
    ]),
    Proven(50, "the same bomb a thousand times", [f"{_HERE}test_images.py::test_50_a_bomb_a_thousand_times_over"]),
    Proven(83, "a wrong declared type", [
        f"{_HERE}test_images_at_the_gateway.py::test_83_a_type_that_is_declared_is_not_believed",
    ]),
    Proven(84, "text called an image", [
        f"{_HERE}test_images_at_the_gateway.py::test_84_a_text_called_an_image_is_refused",
        "tests/images/test_uploads.py::test_an_image_is_checked_by_its_bytes_not_by_its_name",
    ]),
    Proven(103, "every mode to every target", [
        f"{_PIPELINE}test_every_source_becomes_every_output",
        "tests/engine/test_color.py::test_every_mode_becomes_one_that_can_be_resized",
    ]),
    Proven(104, "alpha to JPEG", [f"{_PIPELINE}test_transparency_is_kept_or_laid_on_the_background"]),
    Proven(107, "warnings of decoders", [f"{_DECODE}test_odd_metadata_warns_nobody"]),
    Proven(108, "odd exceptions of decoders", [
        f"{_HERE}test_images_at_the_gateway.py::test_108_whatever_a_decoder_raises_is_one_kind_of_error",
        f"{_PIPELINE}test_a_broken_file_raises_nothing_but_image_errors",
    ]),
    Proven(109, "Pillow's own hostile files, with `make hostile`", [
        "tests/worker/sandbox/test_hostile.py::test_hostile_files_get_an_answer_and_nothing_else",
    ]),
    Proven(147, "half of a character", [f"{_HERE}test_names.py::test_147_half_of_a_character_is_no_text"]),
    Proven(159, "two uploads of a name", [f"{_HERE}test_names.py::test_159_two_uploads_of_a_name_are_kept_apart"]),
    Proven(160, "names that differ in case", [f"{_HERE}test_names.py::test_160_names_that_differ_in_case_are_two"]),
    Proven(165, "naughty strings", [
        f"{_HERE}test_names.py::test_165_naughty_strings_are_stored_or_refused",
        "tests/images/test_names.py::test_a_name_that_a_store_or_a_shell_could_misread_is_refused",
    ]),
    Proven(166, "ids of others", [
        f"{_HERE}test_names.py::test_166_ids_cannot_be_guessed_or_made_up",
        f"{_HERE}test_names.py::test_166_an_id_of_a_megabyte_is_refused",
    ]),
    Proven(172, "numbers that only Python reads", [
        f"{_HERE}test_bodies.py::test_172_a_number_in_an_address_is_written_in_digits",
    ]),
    Proven(174, "unknown fields", [f"{_UPLOADS}test_each_fault_is_a_400_with_its_type"]),
    Proven(175, "missing fields", [
        f"{_UPLOADS}test_each_fault_is_a_400_with_its_type",
        f"{_UPLOADS}test_of_several_faults_the_first_in_the_order_is_told",
    ]),
    Proven(176, "wrong types at every field", [
        "tests/contract/test_requests.py::test_every_request_to_the_images_api_is_answered_as_its_document_says",
    ]),
    Proven(180, "very many keys and values", [f"{_HERE}test_bodies.py::test_180_very_many_faults_are_told_as_one"]),
    Proven(181, "a megabyte in place of a word", [
        f"{_HERE}test_bodies.py::test_181_a_megabyte_in_place_of_a_word_is_not_repeated",
    ]),
    Proven(182, "names of prototypes", [
        f"{_HERE}test_bodies.py::test_182_the_name_of_a_prototype_is_a_name_like_any_other",
    ]),
    Proven(189, "spare bits of base64", [f"{_HERE}test_bodies.py::test_189_spare_bits_make_no_other_image"]),
    Proven(191, "100 MB of base64", [f"{_HERE}test_bodies.py::test_191_base64_is_measured_before_it_is_read"]),
    Proven(194, "gzip bomb", [
        f"{_BODIES}test_a_body_that_unpacks_to_more_than_the_limit_is_cut_off",
        f"{_MULTIPART}test_a_body_that_unpacks_to_too_much_is_cut_off",
    ]),
    Proven(196, "garbage for gzip", [f"{_BODIES}test_a_broken_encoding_is_a_malformed_body"]),
    Proven(198, "body over the limit", [
        f"{_HERE}test_transport.py::test_198_a_small_body_has_a_small_limit",
        f"{_BODIES}test_an_announced_size_over_the_limit_is_refused_unread",
        f"{_BODIES}test_a_body_of_unknown_size_is_cut_off_at_the_limit",
    ]),
    Proven(201, "extension of a chunk", [
        f"{_HERE}test_transport.py::test_201_a_chunk_with_ten_megabytes_of_extension",
    ]),
    Proven(204, "multipart without its boundary", [
        f"{_MULTIPART}test_a_type_without_a_boundary_is_refused",
        f"{_MULTIPART}test_a_body_without_just_one_image_is_refused",
    ]),
    Proven(205, "100,000 parts", [f"{_MULTIPART}test_a_hundred_thousand_parts_are_refused_quickly"]),
    Proven(208, "slow heads", [
        f"{_HERE}test_transport.py::test_208_clients_that_never_finish_their_head_harm_nobody",
        f"{_HERE}test_slow_clients.py::test_a_head_that_comes_letter_by_letter_has_no_more_time",
    ]),
    Proven(209, "half a body", [
        f"{_BODIES}test_a_body_that_does_not_arrive_is_not_waited_for",
        f"{_MULTIPART}test_a_body_in_drops_is_waited_for_only_so_long",
        f"{_HERE}test_slow_clients.py::test_half_a_body_is_not_waited_for_to_the_end",
    ]),
    Proven(210, "idle connections", [
        f"{_HERE}test_transport.py::test_210_clients_that_say_nothing_harm_nobody",
        f"{_HERE}test_slow_clients.py::test_a_head_that_does_not_end_ends_the_connection",
    ]),
    Proven(211, "slow readers", [
        f"{_HERE}test_transport.py::test_211_who_does_not_read_what_he_asked_for_harms_nobody",
        f"{_HERE}test_slow_clients.py::test_who_takes_nothing_of_what_he_asked_for_is_let_go",
    ]),
    Proven(212, "hanging up in the middle", [
        f"{_HERE}test_transport.py::test_212_who_hangs_up_leaves_nothing_behind",
        f"{_BODIES}test_a_client_that_hangs_up_half_way_harms_nobody",
    ]),
    Proven(213, "lengths that lie", [
        f"{_HERE}test_transport.py::test_213_what_follows_a_body_is_another_request",
        f"{_MULTIPART}test_a_length_that_is_too_small_cuts_the_body_off",
        f"{_MULTIPART}test_a_length_that_is_too_large_is_waited_for_only_so_long",
    ]),
    Proven(215, "requests in a row", [
        f"{_HERE}test_transport.py::test_215_requests_in_a_row_are_answered_in_their_order",
    ]),
    Proven(216, "very many connections", [
        f"{_HERE}test_transport.py::test_216_very_many_connections_are_all_answered",
    ]),
    Proven(217, "every method", [
        f"{_HERE}test_transport.py::test_217_every_method_of_every_address_has_an_answer",
        "tests/gateway/test_health.py::test_an_unknown_path_or_method_is_answered_in_the_same_shape",
    ]),
    Proven(218, "ranges", [
        f"{_CONTENT}test_a_range_that_makes_no_sense_gets_the_whole_or_a_416",
        f"{_CONTENT}test_a_range_behind_the_end_is_told_with_the_size",
    ]),
    Proven(225, "CSP on images", [f"{_CONTENT}test_an_image_is_public_and_safe"]),
    Proven(226, "originals are not served", [f"{_CONTENT}test_sources_are_not_public"]),
    Proven(228, "metadata is stripped", [
        f"{_PIPELINE}test_nothing_but_the_image_comes_out",
        "tests/engine/test_steps.py::test_nothing_but_the_pixels_is_left",
    ]),
    Proven(230, "labels of metrics", [
        f"{_HERE}test_responses.py::test_230_nobody_makes_up_labels",
        "tests/gateway/imageconverter_api/test_status_page.py::test_clients_cannot_make_up_any_number_of_labels",
        "tests/gateway/test_health.py::test_metrics_count_by_route_never_by_path",
    ]),
    Proven(231, "names in answers and reports are JSON", [
        f"{_HERE}test_responses.py::test_227_a_name_in_an_answer_is_only_text",
    ]),
    Proven(234, "time of a wrong user", [
        f"{_HERE}test_access.py::test_234_a_wrong_user_takes_the_time_of_a_wrong_password",
    ]),
    Proven(236, "brute force", [f"{_HERE}test_access.py::test_236_who_tries_many_passwords_is_slowed_down"]),
    Proven(238, "credentials in logs", [
        f"{_HERE}test_responses.py::test_238_credentials_are_not_in_the_log",
        "tests/compose/test_compose_stack.py::test_secrets_are_neither_logged_nor_among_arguments",
        "tests/settings/test_settings.py::test_secrets_are_not_printed",
    ]),
    Proven(240, "preflights", [f"{_HERE}test_access.py::test_240_no_other_site_is_told_that_it_may"]),
    Proven(241, "deleting what is another's", [
        "tests/gateway/images_api/test_deletions.py::test_the_right_to_delete_counts_by_type",
        "tests/gateway/images_api/test_directories.py::test_rights_are_asked_for",
    ]),
    Proven(242, "Redis without a password", [
        f"{_HERE}test_access.py::test_242_redis_does_nothing_without_the_password",
        "tests/stack/test_up.py::test_everything_listens_on_loopback_only",
    ]),
    Proven(244, "the store without a signature", [
        f"{_HERE}test_access.py::test_244_the_store_does_nothing_for_strangers",
        "tests/storage/test_store.py::test_wrong_credentials_are_told_as_trouble_of_the_store",
    ]),
    Proven(247, "addresses in bodies", [
        "tests/rare_formats/test_xfig.py::test_the_file_of_an_image_is_not_opened",
    ]),
    Proven(248, "secrets in public numbers", [
        f"{_HERE}test_access.py::test_248_what_everybody_may_read_holds_no_secret",
    ]),
    Proven(250, "full and read-only disks", [
        "tests/compose/test_compose_stack.py::test_file_systems_are_read_only_even_for_root",
        "tests/worker/sandbox/test_confinement.py::test_the_kernel_refuses",
        "tests/storage/test_store.py::test_every_verb_ends_in_time_when_the_store_is_away",
    ]),
    Proven(251, "clocks that jump", [
        f"{_HERE}test_access.py::test_251_a_clock_that_jumps_does_no_more_than_end_tokens",
    ]),
    Proven(252, "a decoder that was taken over", [
        "tests/worker/sandbox/test_confinement.py::test_the_kernel_refuses",
    ]),
]  # fmt: skip

NOT_OURS = [
    NotOurs(
        245, "credentials of workers", "All roles use one identity of the store; a child, which decodes, has none."
    ),
    NotOurs(246, "presigned addresses", "None are handed out: images are served by the gateway, from one tree only."),
]
