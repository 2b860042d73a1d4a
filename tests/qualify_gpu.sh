#!/bin/sh
# qualify_gpu.sh SOURCE BUILD: `conform qualify --gpu` against a driver and an NVML that are fakes (tests/fakes): an honest
# device passes, one that flips a bit is named, one that dies is not measured; and no driver, and a device that is not there.
set -u
source=$1 build=$2
failed=0
fail() { echo "qualify_gpu: $*"; failed=1; }
command -v jq > /dev/null || { echo "SKIP: needs jq"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export XDG_STATE_HOME="$work"
cd "$work" || exit 1
a=GPU-00010203-0405-0607-0809-0a0b0c0d0e0f b=GPU-10111213-1415-1617-1819-1a1b1c1d1e1f

# The program with a worker of its own, which finds the fakes in place of the driver.
mkdir bin
cp "$build/conform" bin/conform
cat > bin/conform-worker << END
#!/bin/sh
export LD_LIBRARY_PATH='$build/fakes' FAKE_GPU="\$(cat '$work/lie')" FAKE_GPU_ONCE='$work/once'
exec '$build/conform-worker' "\$@"
END
chmod +x bin/conform-worker
qualify() { # LIE NAME WORDS...: only GPUs; two rounds, whatever the budget
    echo "$1" > lie
    name=$2
    shift 2
    bin/conform qualify -q --cpuset= --budget 1s --store "$name.db" --text="$name.txt" --json="$name.json" --dcgm="$name.dcgm" \
        --opendcdiag="$name.yaml" "$@" 2> err
    code=$?
}
says() { # NAME QUERY WHAT
    jq -e "$2" "$1.json" > /dev/null || fail "$3: $(jq -c '[.units[] | select(.state != "pass") | {name, kernel, state, reason}], .coverage' "$1.json")"
}

qualify no-device probe --gpu all
grep -q 'no device code' probe.txt && { echo "SKIP: built without nvcc"; exit 77; }
[ $code = 3 ] || fail "no device: exit $code: $(cat err)"
says probe '[.units[] | [.name, .state, (.reason | contains("CUDA_ERROR_NO_DEVICE"))]] == [["any GPU", "not-measured", true]]' 'no device'

# One honest device and one with a bad lane. Its twin and the exact reference blame the same bit.
qualify flip flip --gpu all
[ $code = 1 ] || fail "a flipped bit: exit $code: $(cat err)"
says flip '[.units[] | select(.where.gpu == 0)] | length == 16 and all(.state == "pass" and .n_checked > 0)' 'the honest device'
says flip '[.units[] | select(.state != "pass") | [.name, .where.uuid, .kernel, .state, .element]] ==
    [["gpu 1", "'$b'", "tiled f64", "fail", "output 0 element 5"], ["gpu 1", "'$b'", "exact f64", "fail", "output 0 element 5"]]' 'the device with a bad lane'
says flip '[.units[] | select(.state == "fail")] | all((.reason | contains("the wrong bits are 0x20000")) and .time_to_fail_s >= 0 and
    .expected != .got and .n_again == 4 and .seed >= 1 and (.case | startswith("gemm f64")))' 'where it fails'
says flip '.coverage | contains("GPUs exercised: gpu 0 (Fake A, '$a'), gpu 1 (Fake B, '$b'); not exercised: none")' 'the coverage'
says flip '[.units[] | select(.where.gpu == 1)] | all(.mhz == 345)' 'the clock'
says flip '[.environment | to_entries[] | select(.key | test("(before|after).gpu.'$b'.(temperature_c|throttle|ecc_uncorrected|driver|mig)$"))] |
    length == 10' 'the sensors'
jq -e '[.entity_groups[] | [.entity_group, (.entities | length)]] == [["CPU", 0], ["GPU", 2]] and
    .entity_groups[1].entities[1].serial_num == "'$b'" and ([.test_categories[0].tests[].results[] | select(.status == "Fail") |
    [.entity_group, .entity_id]] | unique) == [["GPU", 1]]' flip.dcgm > /dev/null || fail 'the DCGM fields are not there'
jq -e '."cpu-info" == [] and .tests == []' flip.yaml > /dev/null || fail 'OpenDCDiag has a GPU among its CPUs'
if python3 -c 'import jsonschema' 2> /dev/null; then
    python3 "$source/tests/check_schema.py" "$source/docs/report.schema.json" flip.json || fail 'the JSON schema is not met'
fi

# A bit that flips once and never again, and a context that is lost: neither is a pass. Only the device that was asked for.
: > once
qualify frail frail --gpu 1
[ $code = 3 ] || fail "a frail device: exit $code: $(cat err)"
says frail '[.units[] | select(.state != "pass") | [.kernel, .state, .n_different]] ==
    [["tiled f64", "retest", 1], ["split f32", "not-measured", 0]]' 'a frail device'
says frail '[.units[] | select(.kernel == "split f32")] | all(.reason | contains("CUDA_ERROR_ILLEGAL_ADDRESS"))' 'why it has no answer'
says frail '.coverage | contains("GPUs exercised: gpu 1 (Fake B, '$b'); not exercised: gpu 0 (Fake A, '$a')")' 'the coverage of one'

# One multiprocessor whose blocks err, and one that errs now and then: both are named, with the pair that they belong to.
# 160 blocks on 132 of them: 77 and 78 have one or two each.
qualify bad-sm sm --gpu 1
[ $code = 1 ] || fail "a bad multiprocessor: exit $code: $(cat err)"
says sm '[.units[] | select(.state != "pass") | [.kernel, .state, .where.sm]] == [["burn f64", "fail", "77, 78"]]' 'a bad multiprocessor'
says sm '[.units[] | select(.kernel == "burn f64")] | all(.reason | test("of 132 multiprocessors all wrong blocks ran on SM 77 .TPC 38; ([0-9]+) of its \\1 blocks., SM 78 .TPC 39; "))' 'its place in words'
grep -q 'SM 77 (TPC 38' sm.txt || fail "the text does not name the multiprocessor"

# A GPU in two MIG instances: the second, which no process sees by itself, by its UUID.
second=MIG-30313233-3435-3637-3839-3a3b3c3d3e3f
qualify mig mig --gpu $second
[ $code = 0 ] || fail "a MIG instance: exit $code: $(cat err)"
says mig '[.units[] | [.name, .where.uuid, .state]] | unique == [["mig 1", "'$second'", "pass"]]' 'a MIG instance'
says mig '.coverage | contains("exercised: mig 1 (Fake A, '$second'); not exercised: mig 0 (Fake A, MIG-20212223-")' 'the instance beside it'

# A device that hangs is waited for once; what is left of it is not measured, and says why.
qualify hangs hangs --gpu all --timeout 6
[ $code = 3 ] || fail "a device that hangs: exit $code: $(cat err)"
says hangs '[.units[] | select(.where.gpu == 0)] | all(.state == "pass")' 'the device beside one that hangs'
says hangs '[.units[] | select(.where.gpu == 1)] | length == 16 and all(.state == "not-measured") and
    ([.[] | select(.reason | contains("did not answer within 6 s"))] | length == 1) and
    ([.[] | select(.reason | test("^not asked( again)?: the GPU had not answered in `shuffle f64`, and nothing more was asked of it$"))] | length == 15)' 'a device that hangs'
says hangs '[.environment | to_entries[] | select(.key | endswith("after.gpu.1")) | .value] == ["not asked again: it had hung"]' 'its sensors'

# Nothing works at all, on one of two; and devices that are not there.
qualify lost lost --gpu "$a"
[ $code = 3 ] || fail "a lost device: exit $code: $(cat err)"
says lost '[.units[] | [.name, .state, (.reason | contains("the context is lost"))]] == [["gpu 0", "not-measured", true]]' 'a lost device'
for none in 2 GPU-20212223-2425-2627-2829-2a2b2c2d2e2f; do
    qualify none none --gpu $none
    [ $code = 2 ] && grep -qF "0 ($a), 1 ($b)" err || fail "--gpu=$none: exit $code: $(cat err)"
    [ -e none.db ] && fail "--gpu=$none leaves a store"
done
qualify none none --gpu first
[ $code = 2 ] && grep -q 'neither all' err || fail "--gpu=first: exit $code: $(cat err)"

# No driver, as on most machines: the program as it is. GPUs alone are not measured; CPUs beside them are.
rm bin/conform-worker
ln -s "$build/conform-worker" bin/conform-worker
qualify none bare --gpu all
if [ $code = 3 ] && grep -q 'libcuda.so.1 is not found' bare.txt; then
    says bare '[.units[] | [.name, .state, .where.gpu]] == [["any GPU", "not-measured", -2]]' 'no driver'
    jq -e '.entity_groups[1].entities == [{"entity_id": -1, "name": "any GPU", "node": "", "serial_num": ""}]' bare.dcgm > /dev/null ||
        fail 'DCGM does not say that no GPU was there'
fi
bin/conform qualify -q --cpuset= --budget 1s 2> err
[ $? = 2 ] && grep -q 'leaves no CPU' err || fail "no CPU and no GPU: $(cat err)"
exit $failed
