<?php
$server = 'http://127.0.0.1:8005/images';

function send(string $method, string $url, string $body = '', string $type = 'application/json')
{
    $header = ['Authorization: Bearer ' . getenv('KEY'), "Content-Type: $type"];
    $http = ['method' => $method, 'header' => $header, 'content' => $body];
    return json_decode(file_get_contents($url, false, stream_context_create(['http' => $http])));
}

// Upload the list of images that the shop uses
send('PUT', "$server/catalog/products", "id,active,images\n4711,true,photo.jpg|chair.jpg\n", 'text/csv');

// Make a report, and wait for it
send('POST', "$server/report", '{}');
while (send('GET', "$server/report/status")->running) {
    sleep(1);
}

// List the missing and unused images
$report = send('GET', "$server/report/products");
foreach ($report->missingImages as $image) {
    echo "missing $image->path\n";
}
foreach ($report->unusedImages as $image) {
    echo "unused $image->path $image->size\n";
}
