<?php
$server = 'http://127.0.0.1:8005/imageconverter';

// The SHA-256 of a file is a good key for its previews
$key = hash_file('sha256', 'photo.jpg');

// Get a preview; the first request brings the image along
$boundary = bin2hex(random_bytes(16));
$form = "--$boundary\r\n"
    . "Content-Disposition: form-data; name=\"sourceImage\"; filename=\"photo.jpg\"\r\n\r\n"
    . file_get_contents('photo.jpg')
    . "\r\n--$boundary--\r\n";
$context = stream_context_create(['http' => [
    'method' => 'POST',
    'header' => "Content-Type: multipart/form-data; boundary=$boundary",
    'content' => $form,
]]);
$preview = file_get_contents("$server/cacheAndGetImage/$key/jpg:200x150~cover", false, $context);

// From then on, the key is enough
$preview = file_get_contents("$server/getImage/$key/jpg:200x150~cover");
file_put_contents('preview.jpg', $preview);
