-- The first form of the store.
--
-- Instants are whole milliseconds since 1970-01-01T00:00:00Z. Readings are in the fixed units of the
-- domain (degrees Celsius, percent, hPa, m/s, degrees, mm, m); NULL means that the source did not say.

-- 'PAMP': tells this file from the databases of other programs.
PRAGMA application_id = 1346456912;

CREATE TABLE providers (
    provider INTEGER PRIMARY KEY,
    id       TEXT NOT NULL UNIQUE
) STRICT;

INSERT INTO providers (provider, id) VALUES
    (1, 'open_meteo'),
    (2, 'met_norway'),
    (3, 'openweathermap'),
    (4, 'weatherstack');

-- A place is never deleted, so that its history keeps a name; "place" counts up in the order of adding.
CREATE TABLE places (
    place       INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    origin      TEXT NOT NULL CHECK (origin IN ('configuration', 'api')),
    resolved    INTEGER NOT NULL CHECK (resolved IN (0, 1)),
    latitude    REAL,
    longitude   REAL,
    elevation_m REAL,
    time_zone   TEXT,
    problem     TEXT,
    removed     INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1))
) STRICT;

-- Everything an observation says that is no number. It repeats so much that each is kept once.
-- '' means that the source did not say; flags are spelled 'temperature:suspect,dew_point:derived'.
CREATE TABLE descriptions (
    description INTEGER PRIMARY KEY,
    source_kind TEXT NOT NULL,
    condition   TEXT NOT NULL,
    intensity   TEXT NOT NULL,
    raw_code    TEXT NOT NULL,
    flags       TEXT NOT NULL,
    UNIQUE (source_kind, condition, intensity, raw_code, flags)
) STRICT;

-- "revision" is 0 until a later answer for the same instant differs, then counts the corrections.
CREATE TABLE observations (
    place                     INTEGER NOT NULL REFERENCES places,
    provider                  INTEGER NOT NULL REFERENCES providers,
    observed_at               INTEGER NOT NULL,
    fetched_at                INTEGER NOT NULL,
    revision                  INTEGER NOT NULL,
    description               INTEGER NOT NULL REFERENCES descriptions,
    temperature               REAL,
    relative_humidity         REAL,
    dew_point                 REAL,
    pressure_msl              REAL,
    pressure_station          REAL,
    wind_speed                REAL,
    wind_gust                 REAL,
    wind_direction            REAL,
    precipitation             REAL,
    precipitation_interval_ms INTEGER,
    cloud_cover               REAL,
    visibility                REAL,
    PRIMARY KEY (place, provider, observed_at)
) STRICT, WITHOUT ROWID;

-- What an observation said before it was corrected; "replaced_at" is when the correction was fetched.
CREATE TABLE revisions (
    place                     INTEGER NOT NULL,
    provider                  INTEGER NOT NULL,
    observed_at               INTEGER NOT NULL,
    revision                  INTEGER NOT NULL,
    replaced_at               INTEGER NOT NULL,
    fetched_at                INTEGER NOT NULL,
    description               INTEGER NOT NULL REFERENCES descriptions,
    temperature               REAL,
    relative_humidity         REAL,
    dew_point                 REAL,
    pressure_msl              REAL,
    pressure_station          REAL,
    wind_speed                REAL,
    wind_gust                 REAL,
    wind_direction            REAL,
    precipitation             REAL,
    precipitation_interval_ms INTEGER,
    cloud_cover               REAL,
    visibility                REAL,
    PRIMARY KEY (place, provider, observed_at, revision),
    FOREIGN KEY (place, provider, observed_at) REFERENCES observations
) STRICT, WITHOUT ROWID;

-- Which observation each place is served from.
CREATE TABLE selections (
    place          INTEGER PRIMARY KEY,
    provider       INTEGER NOT NULL,
    observed_at    INTEGER NOT NULL,
    fallback_cause TEXT,
    decided_at     INTEGER NOT NULL,
    FOREIGN KEY (place, provider, observed_at) REFERENCES observations
) STRICT;

-- Answers kept for conditional requests.
CREATE TABLE answers (
    place         INTEGER NOT NULL REFERENCES places,
    provider      INTEGER NOT NULL REFERENCES providers,
    fetched_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    last_modified TEXT,
    body          TEXT NOT NULL,
    PRIMARY KEY (place, provider)
) STRICT;

-- The timeline. AUTOINCREMENT: a number is never given twice, pruned ones included.
CREATE TABLE events (
    event      INTEGER PRIMARY KEY AUTOINCREMENT,
    at         INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    provider   TEXT,
    place      TEXT,
    cause      TEXT,
    attempt    INTEGER,
    elapsed_us INTEGER
) STRICT;

-- The newest calendar window of each kind for each service.
CREATE TABLE quota_usage (
    service     TEXT NOT NULL,
    window_kind TEXT NOT NULL,
    started_at  INTEGER NOT NULL,
    used        INTEGER NOT NULL,
    PRIMARY KEY (service, window_kind)
) STRICT, WITHOUT ROWID;
