#!/usr/bin/env bash
# Turns a blank 64-bit Raspberry Pi OS into a blastscope station. See --help.
set -Eeuo pipefail

readonly PREFIX=/opt/blastscope
readonly VENV=$PREFIX/venv
readonly STATE=/var/lib/blastscope
readonly TRUST=/etc/blastscope/trust
readonly UNIT=blastscope-watch.service
readonly STATION_USER=blastscope
readonly PIP=("$VENV/bin/python" -m pip --disable-pip-version-check)
readonly PACKAGES=(python3-venv python3-numpy python3-picamera2)
# Tests name another file here.
readonly OS_RELEASE=${BLASTSCOPE_OS_RELEASE:-/etc/os-release}

HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly HERE

source_given=
offline=
model=
dry_run=
step="Read the options"
scratch=()

usage() {
    cat <<'HELP'
Usage: sudo deploy/install.sh [OPTIONS] [WHEEL|FOLDER]

Turn a Raspberry Pi with 64-bit Raspberry Pi OS 12 (bookworm) or 13 (trixie) into a blastscope
station: packages, a user of its own, the program, the model, and a service that watches the
camera from every start on. Running it again updates the station; nothing is lost by it.

WHEEL|FOLDER      What to install: a blastscope wheel, or the source folder. Left out, it is the
                  wheel in --offline's folder, or else the source folder that this script lies in.

Options:
  --model FILE      The model that `blastscope quantize` wrote; its signature FILE.sig, if there is
                    one, comes with it. Without one, the model that is there stays; a new
                    station gets, of those that come along, the most accurate that keeps up
                    with 30 frames a second there.
  --offline FOLDER  Use no network: wheels, and Debian packages if any lack, come from FOLDER.
  --dry-run         Print every command and run none.
  -h, --help        Show this.

Examples:
  See first what would happen:
    deploy/install.sh --dry-run
  Make a station from this source folder:
    sudo deploy/install.sh
  Bring a new model, leaving the rest as it is:
    sudo deploy/install.sh --model better.tflite
  Make or update a station with no network, from a USB stick:
    sudo deploy/install.sh --offline /media/stick/wheels
HELP
}

say() { printf '%s\n' "$*" >&2; }

refuse() {
    say "Error: $1"
    say "What to do: $2"
    exit 2
}

report_failure() {
    local code=$?
    trap - ERR
    say "Error: the step \"$step\" failed (exit code $code); the message above says why."
    say "What to do: mend that and run the same command again. It is safe: steps that are done"
    say "are done anew or left as they are, and a model that was there before is still there."
    exit "$code"
}

clean_up() {
    if ((${#scratch[@]})); then rm -rf -- "${scratch[@]}"; fi
}

begin() {
    step=$1
    printf '== %s\n' "$step"
}

# Runs a command, or prints it under --dry-run, quoted as a shell takes it.
run() {
    if [[ -n $dry_run ]]; then
        printf '   '
        printf ' %q' "$@"
        printf '\n'
    else
        "$@"
    fi
}

read_options() {
    while (($#)); do
        case $1 in
            -h | --help)
                usage
                exit 0
                ;;
            --dry-run) dry_run=yes ;;
            --model | --offline)
                if (($# < 2)); then refuse "$1 takes a path." "See --help."; fi
                if [[ $1 == --model ]]; then model=$2; else offline=$2; fi
                shift
                ;;
            -*) refuse "There is no option $1." "See --help." ;;
            *)
                if [[ -n $source_given ]]; then
                    refuse "One wheel or folder is installed, not two: $1." "See --help."
                fi
                source_given=$1
                ;;
        esac
        shift
    done
}

check_machine() {
    local machine packages
    machine=$(uname -m)
    packages=$(dpkg --print-architecture 2>/dev/null || true)
    if [[ $machine == armv* || $machine == aarch64 && $packages == armhf ]]; then
        refuse "This is a 32-bit system ($machine, packages for $packages)." \
            "Write the 64-bit Raspberry Pi OS to the card (any Pi 3, 4, 5 or Zero 2 runs it)."
    fi
    if [[ $machine != aarch64 || $packages != arm64 ]]; then
        refuse "A station is a 64-bit Raspberry Pi (aarch64). Got: $machine." \
            "Run this on the Pi; README.md tells how to start on a desktop."
    fi
    # shellcheck source=/dev/null
    suite=$(. "$OS_RELEASE" 2>/dev/null && printf '%s' "${VERSION_CODENAME:-unknown}") || suite=none
    if [[ $suite != bookworm && $suite != trixie ]]; then
        refuse "A station runs Raspberry Pi OS 12 (bookworm) or 13 (trixie). Got: $suite." \
            "Write one of these to the card with Raspberry Pi Imager; choose the 64-bit Lite one."
    fi
    if [[ -z $dry_run && $(id -u) != 0 ]]; then
        refuse "Installing a station takes the superuser." "Put sudo in front of the command."
    fi
}

check_files() {
    if [[ -n $offline && ! -d $offline ]]; then
        refuse "--offline takes a folder of wheels. Got: $offline." "Check the path."
    fi
    if [[ -n $model && ! -f $model ]]; then
        refuse "--model takes a model file. Got: $model." "Check the path."
    fi
    wheel=$source_given
    if [[ -z $wheel && -n $offline ]]; then
        # The newest by name, should there be several.
        wheel=$(find "$offline" -maxdepth 1 -name 'blastscope-*.whl' | sort -V | tail -n 1)
    fi
    wheel=${wheel:-$(dirname -- "$HERE")}
    if [[ $wheel != *.whl && ! -f $wheel/pyproject.toml || $wheel == *.whl && ! -f $wheel ]]; then
        refuse "What is installed is a wheel or blastscope's source folder. Got: $wheel." \
            "Check the path."
    fi
}

find_missing_packages() {
    local package
    missing=()
    for package in "${PACKAGES[@]}"; do
        if [[ $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) != *" installed" ]]; then
            missing+=("$package")
        fi
    done
    if ((${#missing[@]})) && [[ -n $offline ]] && ! compgen -G "$offline/*.deb" >/dev/null; then
        refuse "These Debian packages lack, and $offline holds no .deb: ${missing[*]}." \
            "Run this once with a network, or add the .deb files (deploy/README.md tells how)."
    fi
}

install_packages() {
    if ((${#missing[@]} == 0)); then return; fi
    if [[ -n $offline ]]; then
        run apt-get install --yes --no-download --no-install-recommends "$offline"/*.deb
        return
    fi
    run apt-get update
    # Recommended packages would bring a desktop.
    run apt-get install --yes --no-install-recommends "${missing[@]}"
}

make_user() {
    local group
    if ! id "$STATION_USER" >/dev/null 2>&1; then
        run useradd --system --user-group --home-dir "$STATE" --no-create-home \
            --shell /usr/sbin/nologin "$STATION_USER"
    fi
    # The groups whose members may use cameras.
    for group in video render; do
        if getent group "$group" >/dev/null; then run usermod -aG "$group" "$STATION_USER"; fi
    done
    run install -d -m 0755 "$PREFIX" "$STATE"
}

make_environment() {
    # picamera2 and numpy are the system's own: libcamera's Python part has no wheel.
    local options=(--system-site-packages)
    if [[ -e $VENV ]] && ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        # Cut off half-way, or left over from the system's previous Python.
        options+=(--clear)
    fi
    run python3 -m venv "${options[@]}" "$VENV"
}

# Builds a wheel from a copy, so that the source folder is left as it is.
build_wheel() {
    local folder=$wheel copy=/tmp/blastscope-build
    if [[ -z $dry_run ]]; then
        copy=$(mktemp -d)
        scratch+=("$copy")
    fi
    run cp -R -- "$folder"/{pyproject.toml,README.md,LICENSE,edge,train,quantize} "$copy"
    run "${PIP[@]}" wheel --quiet "${where[@]}" --no-deps --wheel-dir "$copy/dist" "$copy"
    wheel=$copy/dist/blastscope.whl
    if [[ -z $dry_run ]]; then wheel=$(find "$copy/dist" -name 'blastscope-*.whl'); fi
}

install_program() {
    local where=() extras=
    if [[ -n $offline ]]; then where=(--no-index --find-links "$offline"); fi
    if [[ $wheel != *.whl ]]; then build_wheel; fi
    # What checks signatures, where there are any to check.
    if [[ -f $model.sig || -d $TRUST ]]; then extras="[signing]"; fi
    run "${PIP[@]}" install "${where[@]}" --constraint "$HERE/constraints-$suite.txt" \
        "$wheel$extras"
    # pip takes a wheel of the version that is there already for the same.
    run "${PIP[@]}" install --quiet --no-index --no-deps --force-reinstall "$wheel"
    run ln -sfn "$VENV/bin/blastscope" /usr/local/bin/blastscope
}

as_station() {
    run runuser -u "$STATION_USER" -- "$VENV/bin/blastscope" "$@"
}

# Asks the new program which of its models this Pi is fast enough for.
choose_model() {
    local python=python3.11
    if [[ -n $dry_run ]]; then
        if [[ $suite == trixie ]]; then python=python3.13; fi
        run "$VENV/bin/blastscope" choose --path
        model=$VENV/lib/$python/site-packages/edge/models/mobilenet-v2.tflite
    else
        model=$("$VENV/bin/blastscope" choose --path)
    fi
}

choose_threads() {
    run "$VENV/bin/blastscope" choose --model "$STATE/model.tflite" --env "$STATE/choice.env"
}

install_model() {
    local new=$STATE/.new.tflite
    if [[ -z $dry_run ]]; then scratch+=("$new" "$new.sig"); fi
    run install -m 0644 "$model" "$new"
    if [[ -f $model.sig ]]; then run install -m 0644 "$model.sig" "$new.sig"; fi
    as_station doctor --model "$new"
    run sync "$new"
    # Between the two, a station with a trust store refuses the model and starts again.
    if [[ -f $model.sig ]]; then
        run mv -f "$new.sig" "$STATE/model.tflite.sig"
    else
        run rm -f "$STATE/model.tflite.sig"
    fi
    run mv -f "$new" "$STATE/model.tflite"
}

install_service() {
    run install -m 0644 "$HERE/$UNIT" "/etc/systemd/system/$UNIT"
    if [[ ! -e /etc/default/blastscope ]]; then
        run install -m 0644 "$HERE/blastscope.default" /etc/default/blastscope
    fi
    run systemctl daemon-reload
    run systemctl enable "$UNIT"
}

check_station() {
    as_station doctor --model "$STATE/model.tflite"
    run systemctl restart "$UNIT"
}

main() {
    trap report_failure ERR
    trap clean_up EXIT
    read_options "$@"
    check_machine
    check_files
    find_missing_packages
    begin "Install Debian packages"
    install_packages
    begin "Make the user $STATION_USER"
    make_user
    begin "Make the Python environment"
    make_environment
    begin "Install blastscope"
    install_program
    if [[ -z $model && ! -e $STATE/model.tflite ]]; then
        begin "Choose a model by its speed here"
        choose_model
    fi
    if [[ -n $model ]]; then
        begin "Install the model"
        install_model
    fi
    begin "Choose the number of threads"
    choose_threads
    begin "Install the service"
    install_service
    begin "Check the station and start the service"
    check_station
    if [[ -n $dry_run ]]; then
        say "Nothing was done."
    else
        say "The station is ready. Watch it with: journalctl -fu ${UNIT%.service}"
    fi
}

main "$@"
