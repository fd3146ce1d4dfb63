"""The entries of the catalog without a table: covered by other tests, or not applicable."""

from tests.hostile.case import Covered, NotApplicable

COUNT = 252

_ENGINE = "tests/engine/"
_BODIES = "tests/gateway/http/test_bodies.py::"
_MULTIPART = "tests/gateway/imageconverter_api/test_multipart.py::"
_CONTENT = "tests/gateway/test_content.py::"
_UPLOADS = "tests/gateway/images_api/test_uploads.py::"
_HERE = "tests/hostile/"

COVERED = [
    Covered(47, "output bomb", [f"{_ENGINE}test_pipeline.py::test_an_output_may_not_be_a_bomb"]),
    Covered(49, "many legal images at once", [
        f"{_HERE}test_images_at_the_gateway.py::test_49_many_large_images_at_once_are_queued",
        "tests/worker/sandbox/test_pool.py::test_more_images_than_processes_are_all_converted",
        f"{_UPLOADS}test_large_uploads_do_not_block_other_requests",
    ]),
    Covered(50, "the same bomb a thousand times", [
        f"{_HERE}test_images.py::test_50_a_bomb_is_rejected_a_thousand_times",
    ]),
    Covered(83, "a wrong declared type", [
        f"{_HERE}test_images_at_the_gateway.py::test_83_a_declared_content_type_is_ignored",
    ]),
    Covered(84, "text called an image", [
        f"{_HERE}test_images_at_the_gateway.py::test_84_a_text_file_with_an_image_name_is_rejected",
        "tests/images/test_uploads.py::test_image_is_checked_by_its_bytes_not_by_its_name",
    ]),
    Covered(103, "every mode to every target", [
        f"{_ENGINE}test_file_types.py::test_every_source_becomes_every_output",
        f"{_ENGINE}test_color.py::test_every_mode_becomes_one_that_can_be_resized",
    ]),
    Covered(104, "alpha to JPEG", [
        f"{_ENGINE}test_transparency.py::test_transparency_is_kept_or_laid_on_the_background",
    ]),
    Covered(107, "warnings of decoders", [f"{_ENGINE}test_decode.py::test_odd_metadata_causes_no_warning"]),
    Covered(108, "odd exceptions of decoders", [
        f"{_HERE}test_images_at_the_gateway.py::test_108_all_decoder_exceptions_become_image_errors",
        f"{_ENGINE}test_broken_files.py::test_a_broken_file_raises_nothing_but_image_errors",
    ]),
    Covered(109, "Pillow's own hostile files, with `make hostile`", [
        "tests/worker/sandbox/test_hostile.py::test_hostile_files_get_a_response_within_the_limits",
    ]),
    Covered(147, "a lone surrogate", [f"{_HERE}test_names.py::test_147_lone_surrogates_are_rejected"]),
    Covered(159, "repeated names", [f"{_HERE}test_names.py::test_159_uploads_with_the_same_name_are_separate"]),
    Covered(160, "names that differ in case", [f"{_HERE}test_names.py::test_160_names_are_case_sensitive"]),
    Covered(165, "naughty strings", [
        f"{_HERE}test_names.py::test_165_naughty_strings_are_stored_or_rejected",
        "tests/images/test_names.py::test_a_name_that_a_store_or_a_shell_could_misread_is_refused",
    ]),
    Covered(166, "ids of others", [
        f"{_HERE}test_names.py::test_166_invalid_ids_are_rejected",
        f"{_HERE}test_names.py::test_166_an_id_of_a_megabyte_is_rejected",
    ]),
    Covered(172, "numbers that only Python reads", [
        f"{_HERE}test_bodies.py::test_172_numbers_in_urls_are_ascii_digits",
    ]),
    Covered(174, "unknown fields", [f"{_UPLOADS}test_each_invalid_request_has_its_error_type"]),
    Covered(175, "missing fields", [
        f"{_UPLOADS}test_each_invalid_request_has_its_error_type",
        f"{_UPLOADS}test_the_first_of_several_errors_is_reported",
    ]),
    Covered(176, "wrong types at every field", [
        "tests/contract/test_requests.py::test_the_images_api_conforms_to_its_document",
    ]),
    Covered(180, "very many keys and values", [f"{_HERE}test_bodies.py::test_180_many_errors_are_reported_as_one"]),
    Covered(181, "a megabyte in place of a word", [
        f"{_HERE}test_bodies.py::test_181_a_value_of_a_megabyte_is_not_quoted",
    ]),
    Covered(182, "names of prototypes", [
        f"{_HERE}test_bodies.py::test_182_prototype_names_are_ordinary_names",
    ]),
    Covered(189, "spare bits of base64", [
        f"{_HERE}test_bodies.py::test_189_spare_bits_of_base64_do_not_change_the_image",
    ]),
    Covered(191, "100 MB of base64", [f"{_HERE}test_bodies.py::test_191_a_large_upload_is_rejected_unread"]),
    Covered(194, "gzip bomb", [
        f"{_BODIES}test_a_compressed_body_is_limited_by_its_uncompressed_size",
        f"{_MULTIPART}test_a_compressed_form_is_limited_by_its_uncompressed_size",
    ]),
    Covered(196, "invalid gzip", [f"{_BODIES}test_a_broken_encoding_is_a_malformed_body"]),
    Covered(198, "body over the limit", [
        f"{_HERE}test_transport.py::test_198_json_bodies_have_a_small_limit",
        f"{_BODIES}test_an_announced_size_over_the_limit_is_rejected_unread",
        f"{_BODIES}test_a_body_of_unknown_size_is_limited",
    ]),
    Covered(201, "extension of a chunk", [
        f"{_HERE}test_transport.py::test_201_a_large_chunk_extension_is_rejected_or_ignored",
    ]),
    Covered(204, "multipart without its boundary", [
        f"{_MULTIPART}test_a_type_without_a_boundary_is_rejected",
        f"{_MULTIPART}test_a_body_without_exactly_one_image_is_rejected",
    ]),
    Covered(205, "100,000 parts", [f"{_MULTIPART}test_a_hundred_thousand_parts_are_rejected_quickly"]),
    Covered(208, "slow heads", [
        f"{_HERE}test_transport.py::test_208_incomplete_request_heads_do_not_block_others",
        f"{_HERE}test_slow_clients.py::test_a_slow_head_has_the_same_timeout",
    ]),
    Covered(209, "half a body", [
        f"{_BODIES}test_a_body_that_does_not_arrive_times_out",
        f"{_MULTIPART}test_a_body_that_arrives_slowly_times_out",
        f"{_HERE}test_slow_clients.py::test_a_body_that_arrives_too_slowly_is_rejected",
    ]),
    Covered(210, "idle connections", [
        f"{_HERE}test_transport.py::test_210_idle_connections_do_not_block_others",
        f"{_HERE}test_slow_clients.py::test_an_incomplete_head_closes_the_connection",
    ]),
    Covered(211, "slow readers", [
        f"{_HERE}test_transport.py::test_211_slow_readers_do_not_block_others",
        f"{_HERE}test_slow_clients.py::test_a_client_that_does_not_read_is_disconnected",
    ]),
    Covered(212, "disconnecting during a body", [
        f"{_HERE}test_transport.py::test_212_disconnected_clients_leave_nothing_behind",
        f"{_BODIES}test_a_client_that_disconnects_frees_its_memory",
    ]),
    Covered(213, "wrong lengths", [
        f"{_HERE}test_transport.py::test_213_data_after_a_body_is_the_next_request",
        f"{_MULTIPART}test_a_content_length_that_is_too_small_truncates_the_body",
        f"{_MULTIPART}test_a_content_length_that_is_too_large_times_out",
    ]),
    Covered(215, "pipelined requests", [
        f"{_HERE}test_transport.py::test_215_pipelined_requests_are_answered_in_order",
    ]),
    Covered(216, "very many connections", [
        f"{_HERE}test_transport.py::test_216_many_connections_are_all_served",
    ]),
    Covered(217, "every method", [
        f"{_HERE}test_transport.py::test_217_every_method_of_every_route_has_a_response",
        "tests/gateway/test_health.py::test_an_unknown_path_or_method_is_a_json_error",
    ]),
    Covered(218, "ranges", [
        f"{_CONTENT}test_an_invalid_range_gets_the_whole_image_or_416",
        f"{_CONTENT}test_a_range_without_a_byte_is_not_satisfiable",
    ]),
    Covered(225, "CSP on images", [f"{_CONTENT}test_an_image_is_public_and_safe"]),
    Covered(226, "originals are not served", [f"{_CONTENT}test_sources_are_not_public"]),
    Covered(228, "metadata is stripped", [
        f"{_ENGINE}test_stripping.py::test_nothing_but_the_image_comes_out",
        f"{_ENGINE}test_steps.py::test_nothing_but_the_pixels_is_left",
    ]),
    Covered(230, "labels of metrics", [
        f"{_HERE}test_responses.py::test_230_clients_cannot_create_metric_labels",
        "tests/gateway/imageconverter_api/test_status_page.py::test_the_number_of_labels_is_limited",
        "tests/gateway/test_health.py::test_metrics_are_labeled_by_route_not_by_path",
    ]),
    Covered(231, "names in responses and reports are JSON", [
        f"{_HERE}test_responses.py::test_227_names_in_responses_are_escaped",
    ]),
    Covered(234, "time of a wrong user", [
        f"{_HERE}test_access.py::test_234_user_and_password_are_compared_in_constant_time",
    ]),
    Covered(236, "brute force", [f"{_HERE}test_access.py::test_236_password_guessing_is_rate_limited"]),
    Covered(238, "credentials in logs", [
        f"{_HERE}test_responses.py::test_238_credentials_are_not_in_the_log",
        "tests/compose/test_compose_stack.py::test_secrets_are_neither_logged_nor_among_arguments",
        "tests/settings/test_settings.py::test_secrets_are_not_printed",
    ]),
    Covered(240, "preflights", [f"{_HERE}test_access.py::test_240_there_are_no_cors_headers"]),
    Covered(241, "deleting without the permission for the type", [
        "tests/gateway/images_api/test_deletions.py::test_deleting_needs_the_permission_for_the_type",
        "tests/gateway/images_api/test_directories.py::test_permissions_are_required",
    ]),
    Covered(242, "Redis without a password", [
        f"{_HERE}test_access.py::test_242_redis_requires_its_password",
        "tests/stack/test_up.py::test_everything_listens_on_loopback_only",
    ]),
    Covered(244, "the store without a signature", [
        f"{_HERE}test_access.py::test_244_the_store_rejects_unsigned_requests",
        "tests/storage/test_store.py::test_wrong_credentials_raise_store_unavailable",
    ]),
    Covered(247, "URLs in bodies", [
        "tests/rare_formats/test_xfig.py::test_the_file_of_an_imported_image_is_not_opened",
    ]),
    Covered(248, "secrets in public responses", [
        f"{_HERE}test_access.py::test_248_public_responses_contain_no_secret",
    ]),
    Covered(250, "full and read-only disks", [
        "tests/compose/test_compose_stack.py::test_file_systems_are_read_only_even_for_root",
        "tests/worker/sandbox/test_confinement.py::test_kernel_refuses_the_system_call",
        "tests/storage/test_store.py::test_every_verb_ends_in_time_when_the_store_is_away",
    ]),
    Covered(251, "clock jumps", [
        f"{_HERE}test_access.py::test_251_a_clock_jump_only_expires_tokens",
    ]),
    Covered(252, "a compromised decoder", [
        "tests/worker/sandbox/test_confinement.py::test_kernel_refuses_the_system_call",
    ]),
]  # fmt: skip

NOT_APPLICABLE = [
    NotApplicable(
        245,
        "credentials of workers",
        "All roles use one identity of the store; a sandbox process, which decodes, has none.",
    ),
    NotApplicable(246, "presigned URLs", "None are issued: images are served by the gateway, from one tree only."),
]
