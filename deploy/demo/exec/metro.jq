# One inquiry (a line of text) to one answer. Places are degrees times 10,000,000; a corridor is a box
# with the depth of the tunnel's roof, and a pit may come no nearer to that roof than `clearance` metres.
def corners: [.. | arrays | select(length >= 2 and all(.[]; type == "number"))];
def box: {west: (map(.[0]) | min), east: (map(.[0]) | max),
    south: (map(.[1]) | min), north: (map(.[1]) | max)};
def meets($other): .west <= $other.east and .east >= $other.west
    and .south <= $other.north and .north >= $other.south;

def answer($depth):
    if length == 0 then {outcome: "positive", body: {in_zone: false}}
    elif any(.[]; $depth > .roof - .clearance) then
        {outcome: "negative", reason: "too-deep", body: {in_zone: true, conditions: map("گود تا " +
            (.roof - .clearance | tostring) + " متر: " + .title)}}
    else {outcome: "conditional", body: {in_zone: true, conditions: map("پایش نشست " + .title)}}
    end;

(try fromjson catch null) as $inquiry
| ($inquiry.body?.geo?.coordinates? // [] | corners) as $corners
| if $inquiry == null then {refuse: "the line is not JSON"}
  elif ($corners | length) == 0 then {refuse: "geo has no coordinates"}
  else ($corners | box) as $place
    | [$corridors[0][] | . as $corridor | select($place | meets($corridor))]
    | answer($inquiry.body.depth)
  end
