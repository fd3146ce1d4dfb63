<?php
$server = 'http://127.0.0.1:8005';
$key = getenv('KEY');

// Upload photo.jpg and convert it to two formats
$query = http_build_query([
    'fileName' => 'photo.jpg',
    'formats' => 'content.imageFormat.normalProduct,content.imageFormat.thumbnailProduct',
]);
$context = stream_context_create(['http' => [
    'method' => 'POST',
    'header' => ["Authorization: Bearer $key", 'Content-Type: application/octet-stream'],
    'content' => file_get_contents('photo.jpg'),
]]);
$answer = file_get_contents("$server/images/upload/convert?$query", false, $context);
[$normal, $thumbnail] = json_decode($answer)->items;

// Download the results; everybody may
foreach (['normal.jpg' => $normal, 'thumbnail.jpg' => $thumbnail] as $name => $result) {
    echo "$result->format $result->status $result->output\n";
    $path = implode('/', array_map('rawurlencode', explode('/', $result->output)));
    file_put_contents($name, file_get_contents("$server/content/$path"));
}
