-- Parks and green space: the register of gardens and the count of trees.
-- All of it is made up: no row describes a real person, parcel, company or payment.
CREATE TABLE SHENASNAME_DERAKHT (
    KOD_NOSAZI   VARCHAR(40) PRIMARY KEY,
    TEDAD        INTEGER NOT NULL,
    BAGH         CHAR(1) NOT NULL,         -- B garden, N none, K before the commission
    RAY_M7       VARCHAR(20)
);
INSERT INTO SHENASNAME_DERAKHT VALUES
    ('1-1-1-1-0-0-0', 4, 'N', '7/1/3390'),
    ('22-3-15-40-1-12-0', 0, 'N', NULL),
    ('5-2-8-14-0-0-0', 61, 'B', '7/5/1107'),
    ('12-4-30-7-0-0-0', 9, 'K', NULL);
