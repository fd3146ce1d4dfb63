<?php
$server = 'http://127.0.0.1:8005/images';

function context(string $method, string $body = '', string $type = 'application/json')
{
    $header = ['Authorization: Bearer ' . getenv('KEY'), "Content-Type: $type"];
    return stream_context_create(['http' => ['method' => $method, 'header' => $header, 'content' => $body]]);
}

// Keep photo.jpg as a source in the directory "products"
$photograph = file_get_contents('photo.jpg');
file_get_contents("$server/sources/products/photo.jpg", false, context('PUT', $photograph, 'image/jpeg'));

// Convert all images of the directory
file_get_contents("$server/convert/start", false, context('POST', json_encode([
    'action' => 'manual',
    'source' => 'directory',
    'directory' => 'products',
    'formatList' => ['content.imageFormat.thumbnailProduct'],
])));

// Follow the progress until the run has ended
$events = fopen("$server/convert/events", 'r', false, context('GET'));
while (($line = fgets($events)) !== false) {
    if (str_starts_with($line, 'data: ')) {
        $progress = json_decode(substr($line, 6))->progress;
        echo "$progress->finished of $progress->total\n";
    }
}

// List the results
$answer = file_get_contents("$server/convert/results", false, context('GET'));
foreach (json_decode($answer)->items as $result) {
    echo "$result->source $result->status\n";
}
