<?php
$server = 'http://127.0.0.1:8005';

// Exchange the key for an access token, which is valid for 30 minutes
$answer = file_get_contents("$server/admin/api/v1/login", false, stream_context_create(['http' => [
    'method' => 'POST',
    'header' => 'Content-Type: application/json',
    'content' => json_encode(['apiKey' => getenv('KEY')]),
]]));
$token = json_decode($answer)->accessToken;

// Use it as you would use the key
$answer = file_get_contents("$server/images/formats", false, stream_context_create(['http' => [
    'header' => "Authorization: Bearer $token",
]]));
foreach (json_decode($answer)->items as $each) {
    echo "$each->id\n";
}
