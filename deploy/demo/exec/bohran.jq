# One inquiry to one answer: which hazard zones the place touches. Places are degrees
# times 10,000,000.
def corners: [.. | arrays | select(length >= 2 and all(.[]; type == "number"))];
def box: {west: (map(.[0]) | min), east: (map(.[0]) | max),
    south: (map(.[1]) | min), north: (map(.[1]) | max)};
def meets($other): .west <= $other.east and .east >= $other.west
    and .south <= $other.north and .north >= $other.south;

(.body.geo.coordinates | corners | box) as $place
| .body.floors as $floors
| [$zones[0][] | . as $zone | select($place | meets($zone)) | .kind] as $kinds
| ($kinds | index("fault") != null) as $fault
| ($kinds | index("qanat") != null) as $qanat
| {body: {fault: $fault, qanat: $qanat, study: ($qanat or $floors >= 8)}}
+ if $fault then {outcome: "negative", reason: "on-fault"}
  elif $qanat then {outcome: "conditional", reason: "over-qanat"}
  else {outcome: "positive"} end
