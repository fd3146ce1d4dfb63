<?php
// Convert a photograph, keep its source, and list sources: php examples/client.php SERVER KEY FILE
// Needs PHP 8, and no extension.
[, $server, $key, $file] = $argv;
const FORMAT = 'content.imageFormat.thumbnailProduct';

/** Sends a request and returns the body of the response; throws if its status is not 200. */
function call(string $method, string $path, array $query = [], ?string $body = null): string
{
    global $server, $key;
    $url = $server . $path . ($query ? '?' . http_build_query($query) : '');
    $headers = ["Authorization: Bearer $key"];
    if ($body !== null) {
        $headers[] = 'Content-Type: application/octet-stream';
    }
    $options = ['method' => $method, 'header' => $headers, 'ignore_errors' => true];
    if ($body !== null) {
        $options['content'] = $body;
    }
    $response = file_get_contents($url, false, stream_context_create(['http' => $options]));
    if ($response === false || !str_contains($http_response_header[0], ' 200 ')) {
        $reason = json_decode((string) $response, true)['reason'] ?? 'no response';
        throw new RuntimeException("$method $path: $reason");
    }
    return $response;
}

$name = basename($file);
$photograph = file_get_contents($file);

// Convert it now and download the result.
$converted = call('POST', '/images/upload/convert', ['fileName' => $name, 'formats' => FORMAT], $photograph);
$result = json_decode($converted, true)['items'][0];
$output = implode('/', array_map('rawurlencode', explode('/', $result['output'])));
file_put_contents("thumbnail-{$result['outputFilename']}", call('GET', "/content/$output"));
echo "{$result['status']} $server/content/$output\n";

// Keep it as a source, and list the sources of its directory, page by page.
call('PUT', '/images/sources/examples/' . rawurlencode($name), [], $photograph);
$query = ['directory' => 'examples'];
do {
    $page = json_decode(call('GET', '/images/sources', $query), true);
    foreach ($page['items'] as $source) {
        echo "{$source['path']} {$source['size']}\n";
    }
    $query['cursor'] = $page['cursor'] ?? null;
} while ($query['cursor'] !== null);
