// Calls as lines to paste into a shell.

/** `DataRetentionInHours` is `--data-retention-in-hours`. */
export function optionOf(member: string): string {
  const words = member
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1-$2");
  return `--${words.toLowerCase()}`;
}

/** `GetHLSStreamingSessionURL` is `get-hls-streaming-session-url`. */
export function commandOf(operation: string): string {
  return optionOf(operation).slice(2);
}

export function quote(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** `output` is the file that an operation with a body writes. */
export function asCli(
  service: string, operation: string, endpoint: string, input: object, output?: string,
): string {
  const options = Object.entries(input)
    .filter(([, value]) => value !== undefined)
    .map(([member, value]) => {
      const text = typeof value === "object" ? JSON.stringify(value) : String(value);
      return `${optionOf(member)} ${quote(text)}`;
    });
  const words = [
    `aws ${service} ${commandOf(operation)}`, ...options, `--endpoint-url ${quote(endpoint)}`,
    ...(output ? [output] : []),
  ];
  return words.join(" \\\n    ");
}

/** curl signs by itself, with the pair in the environment. */
export function asCurl(
  url: string, region: string, input: object, output?: string, headers: Record<string, string> = {},
): string {
  return [
    `curl --aws-sigv4 aws:amz:${region}:kinesisvideo`,
    `--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"`,
    `--header 'content-type: application/json'`,
    ...Object.entries(headers).map(([name, value]) => `--header ${quote(`${name}: ${value}`)}`),
    `--data ${quote(JSON.stringify(input))}`,
    ...(output ? [`--output ${quote(output)}`] : []),
    quote(url),
  ].join(" \\\n    ");
}
