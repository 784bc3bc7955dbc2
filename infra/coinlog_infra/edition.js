// What CloudFront runs for every request of the edition, before anything is looked for: who may
// look, and which file an address means. `admitted` is written here when the stack is made: null
// where everybody may look, else the networks, each as the family and the bits they begin with.
var admitted = null;

function octets(address) {
  return address.split(".").map(Number);
}

function groups(text) {
  if (text === "") return [];
  return text.split(":").reduce(function (found, part) {
    if (!part.includes(".")) return found.concat(parseInt(part, 16));
    var four = octets(part);
    return found.concat(four[0] * 256 + four[1], four[2] * 256 + four[3]);
  }, []);
}

function bits(numbers, width) {
  return numbers
    .map(function (number) {
      return number.toString(2).padStart(width, "0");
    })
    .join("");
}

// An address as its family and all its bits; "::" stands for as many zeros as are missing.
function written(address) {
  if (!address.includes(":")) return "4/" + bits(octets(address), 8);
  var halves = address.split("::");
  var first = groups(halves[0]);
  var last = halves.length > 1 ? groups(halves[1]) : [];
  var zeros = new Array(8 - first.length - last.length).fill(0);
  return "6/" + bits(first.concat(zeros, last), 16);
}

function mayLook(address) {
  if (admitted === null) return true;
  var found = written(address);
  return admitted.some(function (network) {
    return found.startsWith(network);
  });
}

function refusal() {
  return {
    statusCode: 403,
    statusDescription: "Forbidden",
    headers: {
      "content-type": { value: "text/plain; charset=utf-8" },
      "cache-control": { value: "no-store" },
      "content-security-policy": { value: "default-src 'none'; frame-ancestors 'none'" },
      "x-content-type-options": { value: "nosniff" },
    },
    body: { encoding: "text", data: "This coinlog is not public.\n" },
  };
}

// The notes of the publishing lie beside the pages and are nobody's: no file has this name.
var NOWHERE = "/.nowhere";

function fileOf(uri) {
  // S3 would read %2e as a dot. No file of an edition has a "%" in its name.
  if (uri.startsWith("/.") || uri.startsWith("/_") || uri.includes("%")) return NOWHERE;
  if (uri.endsWith("/")) return uri + "index.html";
  return uri.split("/").pop().includes(".") ? uri : uri + "/index.html";
}

function handler(event) {
  var request = event.request;
  if (!mayLook(event.viewer.ip)) return refusal();
  request.uri = fileOf(request.uri);
  return request;
}
