"""The entries of the catalog that need no table here: proven elsewhere, or none of our business."""

from tests.hostile.case import NotOurs, Proven

COUNT = 252

_ENGINE = "tests/engine/"
_BODIES = "tests/gateway/http/test_bodies.py::"
_MULTIPART = "tests/gateway/imageconverter_api/test_multipart.py::"
_CONTENT = "tests/gateway/test_content.py::"
_UPLOADS = "tests/gateway/images_api/test_uploads.py::"
_HERE = "tests/hostile/"

PROVEN = [
    Proven(47, "output bomb", [f"{_ENGINE}test_pipeline.py::test_an_output_may_not_be_a_bomb"]),
    Proven(49, "many legal images at once", [
        f"{_HERE}test_images_at_the_gateway.py::test_49_many_large_images_at_once_are_queued",
        "tests/worker/sandbox/test_pool.py::test_more_images_than_processes_are_all_converted",
        f"{_UPLOADS}test_large_uploads_do_not_block_other_requests",
    ]),
    Proven(50, "the same bomb a thousand times", [f"{_HERE}test_images.py::test_50_a_bomb_a_thousand_times_over"]),
    Proven(83, "a wrong declared type", [
        f"{_HERE}test_images_at_the_gateway.py::test_83_a_declared_content_type_is_ignored",
    ]),
    Proven(84, "text called an image", [
        f"{_HERE}test_images_at_the_gateway.py::test_84_a_text_file_with_an_image_name_is_rejected",
        "tests/images/test_uploads.py::test_image_is_checked_by_its_bytes_not_by_its_name",
    ]),
    Proven(103, "every mode to every target", [
        f"{_ENGINE}test_file_types.py::test_every_source_becomes_every_output",
        f"{_ENGINE}test_color.py::test_every_mode_becomes_one_that_can_be_resized",
    ]),
    Proven(104, "alpha to JPEG", [
        f"{_ENGINE}test_transparency.py::test_transparency_is_kept_or_laid_on_the_background",
    ]),
    Proven(107, "warnings of decoders", [f"{_ENGINE}test_decode.py::test_odd_metadata_causes_no_warning"]),
    Proven(108, "odd exceptions of decoders", [
        f"{_HERE}test_images_at_the_gateway.py::test_108_all_decoder_exceptions_become_image_errors",
        f"{_ENGINE}test_broken_files.py::test_a_broken_file_raises_nothing_but_image_errors",
    ]),
    Proven(109, "Pillow's own hostile files, with `make hostile`", [
        "tests/worker/sandbox/test_hostile.py::test_hostile_files_get_a_response_within_the_limits",
    ]),
    Proven(147, "half of a character", [f"{_HERE}test_names.py::test_147_lone_surrogates_are_rejected"]),
    Proven(159, "two uploads of a name", [f"{_HERE}test_names.py::test_159_uploads_with_the_same_name_are_separate"]),
    Proven(160, "names that differ in case", [f"{_HERE}test_names.py::test_160_names_are_case_sensitive"]),
    Proven(165, "naughty strings", [
        f"{_HERE}test_names.py::test_165_naughty_strings_are_stored_or_rejected",
        "tests/images/test_names.py::test_a_name_that_a_store_or_a_shell_could_misread_is_refused",
    ]),
    Proven(166, "ids of others", [
        f"{_HERE}test_names.py::test_166_invalid_ids_are_rejected",
        f"{_HERE}test_names.py::test_166_an_id_of_a_megabyte_is_rejected",
    ]),
    Proven(172, "numbers that only Python reads", [
        f"{_HERE}test_bodies.py::test_172_numbers_in_urls_are_ascii_digits",
    ]),
    Proven(174, "unknown fields", [f"{_UPLOADS}test_each_invalid_request_has_its_error_type"]),
    Proven(175, "missing fields", [
        f"{_UPLOADS}test_each_invalid_request_has_its_error_type",
        f"{_UPLOADS}test_the_first_of_several_errors_is_reported",
    ]),
    Proven(176, "wrong types at every field", [
        "tests/contract/test_requests.py::test_the_images_api_conforms_to_its_document",
    ]),
    Proven(180, "very many keys and values", [f"{_HERE}test_bodies.py::test_180_many_errors_are_reported_as_one"]),
    Proven(181, "a megabyte in place of a word", [
        f"{_HERE}test_bodies.py::test_181_a_value_of_a_megabyte_is_not_quoted",
    ]),
    Proven(182, "names of prototypes", [
        f"{_HERE}test_bodies.py::test_182_prototype_names_are_ordinary_names",
    ]),
    Proven(189, "spare bits of base64", [
        f"{_HERE}test_bodies.py::test_189_spare_bits_of_base64_do_not_change_the_image",
    ]),
    Proven(191, "100 MB of base64", [f"{_HERE}test_bodies.py::test_191_a_large_upload_is_rejected_unread"]),
    Proven(194, "gzip bomb", [
        f"{_BODIES}test_a_compressed_body_is_limited_by_its_uncompressed_size",
        f"{_MULTIPART}test_a_compressed_form_is_limited_by_its_uncompressed_size",
    ]),
    Proven(196, "garbage for gzip", [f"{_BODIES}test_a_broken_encoding_is_a_malformed_body"]),
    Proven(198, "body over the limit", [
        f"{_HERE}test_transport.py::test_198_a_small_body_has_a_small_limit",
        f"{_BODIES}test_an_announced_size_over_the_limit_is_rejected_unread",
        f"{_BODIES}test_a_body_of_unknown_size_is_limited",
    ]),
    Proven(201, "extension of a chunk", [
        f"{_HERE}test_transport.py::test_201_a_chunk_with_ten_megabytes_of_extension",
    ]),
    Proven(204, "multipart without its boundary", [
        f"{_MULTIPART}test_a_type_without_a_boundary_is_rejected",
        f"{_MULTIPART}test_a_body_without_exactly_one_image_is_rejected",
    ]),
    Proven(205, "100,000 parts", [f"{_MULTIPART}test_a_hundred_thousand_parts_are_rejected_quickly"]),
    Proven(208, "slow heads", [
        f"{_HERE}test_transport.py::test_208_incomplete_request_heads_do_not_block_others",
        f"{_HERE}test_slow_clients.py::test_a_slow_head_has_the_same_timeout",
    ]),
    Proven(209, "half a body", [
        f"{_BODIES}test_a_body_that_does_not_arrive_times_out",
        f"{_MULTIPART}test_a_body_that_arrives_slowly_times_out",
        f"{_HERE}test_slow_clients.py::test_an_incomplete_body_times_out",
    ]),
    Proven(210, "idle connections", [
        f"{_HERE}test_transport.py::test_210_idle_connections_do_not_block_others",
        f"{_HERE}test_slow_clients.py::test_an_incomplete_head_closes_the_connection",
    ]),
    Proven(211, "slow readers", [
        f"{_HERE}test_transport.py::test_211_slow_readers_do_not_block_others",
        f"{_HERE}test_slow_clients.py::test_a_client_that_does_not_read_is_disconnected",
    ]),
    Proven(212, "hanging up in the middle", [
        f"{_HERE}test_transport.py::test_212_disconnected_clients_leave_nothing_behind",
        f"{_BODIES}test_a_client_that_disconnects_frees_its_memory",
    ]),
    Proven(213, "lengths that lie", [
        f"{_HERE}test_transport.py::test_213_data_after_a_body_is_the_next_request",
        f"{_MULTIPART}test_a_content_length_that_is_too_small_truncates_the_body",
        f"{_MULTIPART}test_a_content_length_that_is_too_large_times_out",
    ]),
    Proven(215, "requests in a row", [
        f"{_HERE}test_transport.py::test_215_pipelined_requests_are_answered_in_order",
    ]),
    Proven(216, "very many connections", [
        f"{_HERE}test_transport.py::test_216_many_connections_are_all_served",
    ]),
    Proven(217, "every method", [
        f"{_HERE}test_transport.py::test_217_every_method_of_every_route_has_a_response",
        "tests/gateway/test_health.py::test_an_unknown_path_or_method_is_a_json_error",
    ]),
    Proven(218, "ranges", [
        f"{_CONTENT}test_an_invalid_range_gets_the_whole_image_or_416",
        f"{_CONTENT}test_a_range_after_the_end_is_not_satisfiable",
    ]),
    Proven(225, "CSP on images", [f"{_CONTENT}test_an_image_is_public_and_safe"]),
    Proven(226, "originals are not served", [f"{_CONTENT}test_sources_are_not_public"]),
    Proven(228, "metadata is stripped", [
        f"{_ENGINE}test_stripping.py::test_nothing_but_the_image_comes_out",
        f"{_ENGINE}test_steps.py::test_nothing_but_the_pixels_is_left",
    ]),
    Proven(230, "labels of metrics", [
        f"{_HERE}test_responses.py::test_230_clients_cannot_create_metric_labels",
        "tests/gateway/imageconverter_api/test_status_page.py::test_the_number_of_labels_is_limited",
        "tests/gateway/test_health.py::test_metrics_are_labeled_by_route_not_by_path",
    ]),
    Proven(231, "names in answers and reports are JSON", [
        f"{_HERE}test_responses.py::test_227_names_in_responses_are_escaped",
    ]),
    Proven(234, "time of a wrong user", [
        f"{_HERE}test_access.py::test_234_user_and_password_are_compared_in_constant_time",
    ]),
    Proven(236, "brute force", [f"{_HERE}test_access.py::test_236_password_guessing_is_rate_limited"]),
    Proven(238, "credentials in logs", [
        f"{_HERE}test_responses.py::test_238_credentials_are_not_in_the_log",
        "tests/compose/test_compose_stack.py::test_secrets_are_neither_logged_nor_among_arguments",
        "tests/settings/test_settings.py::test_secrets_are_not_printed",
    ]),
    Proven(240, "preflights", [f"{_HERE}test_access.py::test_240_there_are_no_cors_headers"]),
    Proven(241, "deleting what is another's", [
        "tests/gateway/images_api/test_deletions.py::test_deleting_needs_the_permission_for_the_type",
        "tests/gateway/images_api/test_directories.py::test_permissions_are_required",
    ]),
    Proven(242, "Redis without a password", [
        f"{_HERE}test_access.py::test_242_redis_requires_its_password",
        "tests/stack/test_up.py::test_everything_listens_on_loopback_only",
    ]),
    Proven(244, "the store without a signature", [
        f"{_HERE}test_access.py::test_244_the_store_rejects_unsigned_requests",
        "tests/storage/test_store.py::test_wrong_credentials_raise_store_unavailable",
    ]),
    Proven(247, "addresses in bodies", [
        "tests/rare_formats/test_xfig.py::test_the_file_of_an_imported_image_is_not_opened",
    ]),
    Proven(248, "secrets in public numbers", [
        f"{_HERE}test_access.py::test_248_public_responses_contain_no_secret",
    ]),
    Proven(250, "full and read-only disks", [
        "tests/compose/test_compose_stack.py::test_file_systems_are_read_only_even_for_root",
        "tests/worker/sandbox/test_confinement.py::test_kernel_refuses_the_system_call",
        "tests/storage/test_store.py::test_every_verb_ends_in_time_when_the_store_is_away",
    ]),
    Proven(251, "clocks that jump", [
        f"{_HERE}test_access.py::test_251_a_clock_jump_only_expires_tokens",
    ]),
    Proven(252, "a decoder that was taken over", [
        "tests/worker/sandbox/test_confinement.py::test_kernel_refuses_the_system_call",
    ]),
]  # fmt: skip

NOT_OURS = [
    NotOurs(
        245, "credentials of workers", "All roles use one identity of the store; a child, which decodes, has none."
    ),
    NotOurs(246, "presigned addresses", "None are handed out: images are served by the gateway, from one tree only."),
]
