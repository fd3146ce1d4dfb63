<?php
$server = 'http://127.0.0.1:8005';

// Get the converted images of photo.jpg as the attribute srcset of <img>
$query = http_build_query([
    'formatNodeId' => 'content.imageFormat.thumbnailProduct',
    'fileName' => 'photo.jpg',
]);
$context = stream_context_create(['http' => ['header' => 'Authorization: Bearer ' . getenv('KEY')]]);
$answer = file_get_contents("$server/images/srcset/products?$query", false, $context);
$srcset = htmlspecialchars(json_decode($answer)->srcset);
echo "<img srcset=\"$srcset\" alt=\"\">\n";
